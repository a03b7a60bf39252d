# Runs examples/embed and compares what it prints with examples/embed/expected.txt.
set(ENV{LUA_PATH_5_4} "${ROOT}/lua/?.lua;${ROOT}/lua/?/init.lua")
execute_process(COMMAND ${PROGRAM} ${ROOT}/examples/embed/visit.lua
  OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE result)
file(READ ${ROOT}/examples/embed/expected.txt expected)
if(NOT result EQUAL 0 OR NOT errors STREQUAL "" OR NOT output STREQUAL expected)
  message(FATAL_ERROR "exit ${result}\n${errors}\n${output}\nexpected:\n${expected}")
endif()

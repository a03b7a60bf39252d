# Compares what a shared library exports with lists, one name a line; # begins a comment.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" exported "${symbols}")
list(TRANSFORM exported STRIP)

set(listed)
foreach(list IN LISTS LIST)
  file(STRINGS ${list} names REGEX "^[a-z]")
  list(APPEND listed ${names})
endforeach()
list(TRANSFORM listed STRIP)

set(extra ${exported})
set(lacking ${listed})
list(REMOVE_ITEM extra ${listed})
list(REMOVE_ITEM lacking ${exported})
if(extra OR lacking)
  message(FATAL_ERROR "exported, not listed: ${extra}\nlisted, not exported: ${lacking}")
endif()
list(LENGTH listed count)
message(STATUS "${count} names, as listed")

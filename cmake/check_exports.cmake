# Compares what a shared library exports with a list, one name a line; # begins a comment.
execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^ \n]+\n" exported "${symbols}")
list(TRANSFORM exported STRIP)

file(STRINGS ${LIST} listed REGEX "^[a-z]")
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

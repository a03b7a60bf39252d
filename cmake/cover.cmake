# Counters in the rooms without Lua; what tests them only needs to be linked with the runtime.
target_link_options(presence_flags INTERFACE -fprofile-instr-generate)
foreach(target presence_objects presence_net)
  target_compile_options(${target} PRIVATE -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc)
endforeach()

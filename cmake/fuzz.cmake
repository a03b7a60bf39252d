# Fuzz targets: spec/fuzz/fuzz_<name>.c each becomes a program, built by the target `fuzzers`.
# PRESENCE_FUZZ says with what: `libfuzzer` (clang), or `replay`, which reads inputs from files.
file(GLOB PRESENCE_FUZZ_TARGETS CONFIGURE_DEPENDS spec/fuzz/fuzz_*.c)
add_custom_target(fuzzers)
foreach(source ${PRESENCE_FUZZ_TARGETS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} EXCLUDE_FROM_ALL ${source}
    $<TARGET_OBJECTS:presence_objects> $<TARGET_OBJECTS:presence_net>)
  target_include_directories(${name} PRIVATE src spec/c spec/fuzz)
  target_link_libraries(${name} PRIVATE presence_flags)
  if(PRESENCE_FUZZ STREQUAL "replay")
    target_sources(${name} PRIVATE spec/fuzz/replay.c)
  else()
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  endif()
  add_dependencies(fuzzers ${name})
endforeach()

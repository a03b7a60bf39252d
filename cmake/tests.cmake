# C tests: spec/c/test_<unit>.c each becomes a cmocka program run by ctest.
find_package(PkgConfig REQUIRED)
pkg_check_modules(cmocka REQUIRED IMPORTED_TARGET cmocka)

file(GLOB PRESENCE_C_TESTS CONFIGURE_DEPENDS spec/c/test_*.c)
add_custom_target(c_tests)
foreach(source ${PRESENCE_C_TESTS})
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source} $<TARGET_OBJECTS:presence_objects> $<TARGET_OBJECTS:presence_net>)
  target_include_directories(${name} PRIVATE src spec/c)
  target_link_libraries(${name} PRIVATE presence_flags PkgConfig::cmocka)
  add_dependencies(c_tests ${name})
  add_test(NAME ${name} COMMAND ${name})
endforeach()

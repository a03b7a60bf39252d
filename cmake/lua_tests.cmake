# C tests of the binding, which are linked with an interpreter: once with each that is installed.
function(presence_add_lua_test name interpreter)
  if(NOT TARGET ${interpreter}_module)
    return()
  endif()
  add_executable(${name}_${interpreter} spec/c/lua/${name}.c ${PRESENCE_LUA}
    $<TARGET_OBJECTS:presence_objects> $<TARGET_OBJECTS:presence_net>)
  target_include_directories(${name}_${interpreter} PRIVATE src src/core spec/c spec/c/lua)
  target_compile_definitions(${name}_${interpreter} PRIVATE
    PRESENCE_LUA_SCRIPTS="${PROJECT_SOURCE_DIR}/spec/c/lua/")
  target_link_libraries(${name}_${interpreter} PRIVATE presence_flags PkgConfig::cmocka PkgConfig::${interpreter})
  add_dependencies(c_tests ${name}_${interpreter})
  add_test(NAME ${name}_${interpreter} COMMAND ${name}_${interpreter})
endfunction()

file(GLOB PRESENCE_LUA_TESTS CONFIGURE_DEPENDS spec/c/lua/test_*.c)
foreach(source ${PRESENCE_LUA_TESTS})
  get_filename_component(name ${source} NAME_WE)
  presence_add_lua_test(${name} lua54)
  presence_add_lua_test(${name} luajit)
endforeach()

# presence.core, the C module, once for each interpreter that is installed:
# <build>/lib/lua/5.4/presence/core.so and <build>/lib/lua/5.1/presence/core.so (LuaJIT).
find_package(PkgConfig REQUIRED)

function(presence_add_lua_module name package abi)
  pkg_check_modules(${name} QUIET IMPORTED_TARGET ${package})
  if(NOT ${name}_FOUND)
    message(STATUS "${package} not found: no module for Lua ${abi}")
    return()
  endif()
  add_library(${name}_module MODULE ${PRESENCE_LUA} $<TARGET_OBJECTS:presence_objects> $<TARGET_OBJECTS:presence_net>)
  # Headers only: the interpreter that loads the module brings the symbols.
  target_include_directories(${name}_module PRIVATE src src/core)
  target_include_directories(${name}_module SYSTEM PRIVATE ${${name}_INCLUDE_DIRS})
  target_link_libraries(${name}_module PRIVATE presence_flags)
  set_target_properties(${name}_module PROPERTIES
    PREFIX "" OUTPUT_NAME core
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/lua/${abi}/presence)
endfunction()

if(PRESENCE_LUA)
  presence_add_lua_module(lua54 lua5.4 5.4)
  presence_add_lua_module(luajit luajit 5.1)
endif()

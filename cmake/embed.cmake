# libpresence-lua5.4 for C programs that embed Lua: the core and its binding in one, with the public
# functions of both visible. The program brings the interpreter's symbols.
if(NOT TARGET lua54_module)
  return()
endif()

add_library(presence_lua54 SHARED ${PRESENCE_TEXT} ${PRESENCE_CORE} ${PRESENCE_NET} ${PRESENCE_LUA})
target_include_directories(presence_lua54 PRIVATE src
  PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src/core> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src/lua>)
target_include_directories(presence_lua54 SYSTEM PRIVATE ${lua54_INCLUDE_DIRS})
target_compile_definitions(presence_lua54 PRIVATE PRESENCE_EXPORTS)
target_link_libraries(presence_lua54 PRIVATE $<BUILD_INTERFACE:presence_flags>)
set_target_properties(presence_lua54 PROPERTIES OUTPUT_NAME presence-lua5.4
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

configure_file(cmake/presence-lua5.4.pc.in presence-lua5.4.pc @ONLY)
install(TARGETS presence_lua54 LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES src/lua/presence_lua.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_BINARY_DIR}/presence-lua5.4.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(BUILD_TESTING)
  add_test(NAME exports_lua COMMAND ${CMAKE_COMMAND}
    -D NM=${CMAKE_NM} -D LIBRARY=$<TARGET_FILE:presence_lua54>
    -D LIST=${PROJECT_SOURCE_DIR}/src/core/exports.txt\;${PROJECT_SOURCE_DIR}/src/lua/exports.txt
    -P ${PROJECT_SOURCE_DIR}/cmake/check_exports.cmake)

  add_executable(example_embed examples/embed/main.c)
  target_link_libraries(example_embed PRIVATE presence_lua54 PkgConfig::lua54 presence_flags)
  add_dependencies(c_tests example_embed)
  add_test(NAME example_embed COMMAND ${CMAKE_COMMAND}
    -D PROGRAM=$<TARGET_FILE:example_embed> -D ROOT=${PROJECT_SOURCE_DIR}
    -P ${PROJECT_SOURCE_DIR}/cmake/check_embed.cmake)
endif()

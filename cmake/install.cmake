# `cmake --install build --prefix …`, and DESTDIR in the environment.
#   share/lua/{5.4,5.1}/presence/…     Lua files (LuaJIT looks in 5.1)
#   lib/lua/{5.4,5.1}/presence/core.so the C module
#   lib/libpresence.so.*, include/presence.h, lib/pkgconfig/presence.pc

foreach(abi IN ITEMS 5.4 5.1)
  install(DIRECTORY lua/ DESTINATION share/lua/${abi} FILES_MATCHING PATTERN "*.lua")
endforeach()

if(TARGET lua54_module)
  install(TARGETS lua54_module LIBRARY DESTINATION lib/lua/5.4/presence)
endif()
if(TARGET luajit_module)
  install(TARGETS luajit_module LIBRARY DESTINATION lib/lua/5.1/presence)
endif()

# presence.pc finds its files relative to itself, so the prefix may be chosen at installation.
file(RELATIVE_PATH PRESENCE_PC_PREFIX /x/${CMAKE_INSTALL_LIBDIR}/pkgconfig /x)
string(REGEX REPLACE "/$" "" PRESENCE_PC_PREFIX "${PRESENCE_PC_PREFIX}")
configure_file(cmake/presence.pc.in presence.pc @ONLY)

if(TARGET presence)
  install(TARGETS presence presence_static
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  install(FILES src/core/presence.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
  install(FILES ${CMAKE_BINARY_DIR}/presence.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endif()

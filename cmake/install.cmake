# `make install`, and what `make deb` packs: the paths that Lua 5.4 and LuaJIT look in themselves.
#   share/lua/{5.4,5.1}/presence/…     Lua files (LuaJIT looks in 5.1)
#   lib/lua/{5.4,5.1}/presence/core.so the C module
#   lib/libpresence.{so.*,a}, include/presence.h, lib/pkgconfig/presence.pc
# Under /usr, C modules lie in the system's library folder (on Debian lib/x86_64-linux-gnu/lua).
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  set(PRESENCE_LUA_LIBDIR ${CMAKE_INSTALL_LIBDIR}/lua)
else()
  set(PRESENCE_LUA_LIBDIR lib/lua)
endif()

foreach(abi IN ITEMS 5.4 5.1)
  install(DIRECTORY lua/ DESTINATION share/lua/${abi} FILES_MATCHING PATTERN "*.lua")
endforeach()

if(TARGET lua54_module)
  install(TARGETS lua54_module LIBRARY DESTINATION ${PRESENCE_LUA_LIBDIR}/5.4/presence)
endif()
if(TARGET luajit_module)
  install(TARGETS luajit_module LIBRARY DESTINATION ${PRESENCE_LUA_LIBDIR}/5.1/presence)
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

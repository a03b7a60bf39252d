# One Debian package, lua-presence: the module for both interpreters and libpresence. Built by
# `make deb` in a tree of its own (preset deb), whose prefix is /usr.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME lua-presence)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "user presence and Phoenix Channels for Lua and nginx")
set(CPACK_PACKAGE_DESCRIPTION
  "Who is online, on which topics, with which devices: channels that an unmodified phoenix.js
speaks to, on a server of its own or inside nginx, and the data structure alone, an immutable map
with cheap differences, for Lua 5.4, LuaJIT and C (libpresence, its header and pkg-config file).")

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "The presence authors <presence@localhost>")
set(CPACK_DEBIAN_PACKAGE_SECTION interpreters)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON) # the C library, in the version it was built for
# The data structure needs nothing else. The stand-alone server needs luv and luaossl, channels that
# open JSON need cjson; nginx brings what it needs itself.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "lua-cjson, lua-luv, lua-luaossl")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "lua5.4, luajit2 | luajit, libnginx-mod-http-lua")
set(CPACK_DEBIAN_PACKAGE_PROVIDES "lua5.1-presence, lua5.4-presence")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

install(FILES LICENSE DESTINATION share/doc/lua-presence RENAME copyright)
install(FILES README.md CHANGELOG.md DESTINATION share/doc/lua-presence)
install(FILES examples/nginx/minimal.conf DESTINATION share/doc/lua-presence/examples)

include(CPack)

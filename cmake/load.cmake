# bench_load: the clients of `make bench-server` (Linux: epoll). Nothing else needs it, so it is built
# when it is asked for.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
  file(GLOB PRESENCE_LOAD CONFIGURE_DEPENDS bench/server/*.c)
  add_executable(bench_load EXCLUDE_FROM_ALL ${PRESENCE_LOAD}
    $<TARGET_OBJECTS:presence_objects> $<TARGET_OBJECTS:presence_net>)
  target_include_directories(bench_load PRIVATE ${PROJECT_SOURCE_DIR} src)
  target_compile_definitions(bench_load PRIVATE _GNU_SOURCE)
  target_link_libraries(bench_load PRIVATE presence_flags m)
endif()

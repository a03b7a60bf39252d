# Versions shared between threads: only a build with PRESENCE_ATOMIC may. Preset tsan runs it under
# ThreadSanitizer.
add_executable(test_core_threads spec/c/threads/test_core_threads.c $<TARGET_OBJECTS:presence_objects>)
target_include_directories(test_core_threads PRIVATE src spec/c)
target_link_libraries(test_core_threads PRIVATE presence_flags PkgConfig::cmocka)
add_dependencies(c_tests test_core_threads)
add_test(NAME test_core_threads COMMAND test_core_threads)

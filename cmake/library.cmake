# libpresence for C programs: build/libpresence.so.<version> and build/libpresence.a. The shared one
# is compiled apart, for its public functions are visible there and nowhere else.
function(presence_add_library target type)
  add_library(${target} ${type} ${PRESENCE_TEXT} ${PRESENCE_CORE})
  target_include_directories(${target} PRIVATE src PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src/core>)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:presence_flags>)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME presence)
endfunction()

presence_add_library(presence SHARED)
target_compile_definitions(presence PRIVATE PRESENCE_EXPORTS)
set_target_properties(presence PROPERTIES
  VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})

presence_add_library(presence_static STATIC)

if(BUILD_TESTING)
  # What the shared library exports is a checked list.
  add_test(NAME exports COMMAND ${CMAKE_COMMAND}
    -D NM=${CMAKE_NM} -D LIBRARY=$<TARGET_FILE:presence>
    -D LIST=${PROJECT_SOURCE_DIR}/src/core/exports.txt
    -P ${PROJECT_SOURCE_DIR}/cmake/check_exports.cmake)
endif()

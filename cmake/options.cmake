# What every C file of the project is built with.
include(CTest)

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -g -DNDEBUG")

option(PRESENCE_SANITIZE "Build with AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(PRESENCE_WERROR "Treat warnings as errors" ON)

add_library(presence_flags INTERFACE)
target_compile_options(presence_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes)
if(PRESENCE_WERROR)
  target_compile_options(presence_flags INTERFACE -Werror)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # One instruction for popcount; a call behind a CPU flag costs 32.
  target_compile_options(presence_flags INTERFACE -march=x86-64-v2)
endif()
if(PRESENCE_SANITIZE)
  target_compile_options(presence_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(presence_flags INTERFACE -fsanitize=address,undefined)
endif()

# The native tests: checks of the library's file; panorm-same-bits; every native/tests/*_test.cpp
# in one doctest program.

# ---- What can be seen without running the library

function(add_library_check name)
  add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -D CHECK=${name} -D NM=${CMAKE_NM}
    -D OBJDUMP=${CMAKE_OBJDUMP} -D LIBRARY=$<TARGET_FILE:panorm> ${ARGN}
    -P ${PROJECT_SOURCE_DIR}/native/cmake/library_check.cmake)
endfunction()

add_test(NAME c99 COMMAND ${CMAKE_CXX_COMPILER} -x c -std=c99 -pedantic-errors -Wall -Werror
  -fsyntax-only ${PROJECT_SOURCE_DIR}/native/include/panorm.h)

# Sanitizers and unoptimized code bring symbols of their own.
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_library_check(exports -D SYSTEM=${CMAKE_SYSTEM_NAME}
    -D HEADER=${PROJECT_SOURCE_DIR}/native/include/panorm.h
    -D JNI=${PROJECT_SOURCE_DIR}/native/src/jni.cpp)
  if(CMAKE_SYSTEM_NAME STREQUAL "Linux")
    # The first for aarch64; memcpy's for x86-64.
    add_library_check(glibc -D FLOOR=$<IF:$<BOOL:${PANORM_X86_64}>,2.14,2.17>)
  endif()
  if(PANORM_X86_64 AND NOT APPLE)
    set(objects $<TARGET_OBJECTS:panorm>)
    add_library_check(baseline -D SCRATCH=${PROJECT_BINARY_DIR}/disassembly.txt
      -D "BASELINE=$<JOIN:$<FILTER:${objects},EXCLUDE,/avx>,|>"
      -D "EXTENDED=$<JOIN:$<FILTER:${objects},INCLUDE,/avx>,|>")
  endif()
endif()

# ---- Tests that run the library; with nothing on a platform to run them, only the above

if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "No emulator: only the library's file is tested")
  return()
endif()

function(add_test_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE panorm)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Werror -O1)  # doctest is slow to optimize
  if(WIN32)
    target_link_options(${name} PRIVATE -static)
  endif()
endfunction()

set(same_bits ${PROJECT_SOURCE_DIR}/native/tests/same_bits.csv)
add_test_program(panorm-same-bits native/tests/same_bits.cpp)
add_test(NAME same-bits COMMAND panorm-same-bits ${same_bits})

find_path(PANORM_DOCTEST_DIR doctest/doctest.h)
if(NOT PANORM_DOCTEST_DIR)
  set(how "doctest/doctest.h not found. Install doctest: apt-get install doctest-dev | "
    "brew install doctest | pacman -S mingw-w64-x86_64-doctest")
  if(PANORM_REQUIRE_TESTS)
    message(FATAL_ERROR ${how})
  endif()
  message(WARNING "MOST NATIVE TESTS ARE LEFT OUT: " ${how})
  return()
endif()

# A copy of the one folder: with the folder above it (/usr/include) on the search path, a cross
# compiler would read the host's system headers.
file(COPY ${PANORM_DOCTEST_DIR}/doctest DESTINATION ${PROJECT_BINARY_DIR}/include)

# With cpu.cpp, which the library does not export.
file(GLOB test_sources CONFIGURE_DEPENDS native/tests/*_test.cpp)
add_test_program(panorm-tests native/tests/main.cpp ${test_sources} native/src/cpu.cpp)
target_include_directories(panorm-tests SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/include)
add_test(NAME panorm-tests COMMAND panorm-tests)

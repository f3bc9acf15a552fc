# The native tests: every native/tests/*.cpp in one doctest program.

find_path(PANORM_DOCTEST_DIR doctest/doctest.h)
if(NOT PANORM_DOCTEST_DIR)
  set(how "doctest/doctest.h not found. Install doctest: apt-get install doctest-dev | "
    "brew install doctest | pacman -S mingw-w64-x86_64-doctest")
  if(PANORM_REQUIRE_TESTS)
    message(FATAL_ERROR ${how})
  endif()
  message(WARNING "THE NATIVE TESTS ARE LEFT OUT: " ${how})
  return()
endif()

# A copy of the one folder: with the folder above it (/usr/include) on the search path, a cross
# compiler would read the host's system headers.
file(COPY ${PANORM_DOCTEST_DIR}/doctest DESTINATION ${PROJECT_BINARY_DIR}/include)

file(GLOB test_sources CONFIGURE_DEPENDS native/tests/*.cpp)
add_executable(panorm-tests ${test_sources})
target_include_directories(panorm-tests SYSTEM PRIVATE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(panorm-tests PRIVATE panorm)
target_compile_options(panorm-tests PRIVATE
  -ffp-contract=off -Wall -Wextra -Werror
  -O1)  # doctest's macros are slow to optimize
if(WIN32)
  target_link_options(panorm-tests PRIVATE -static)
endif()
add_test(NAME panorm-tests COMMAND panorm-tests)

# The library must load where only the C library is installed.
if(CMAKE_SYSTEM_NAME STREQUAL "Linux" AND CMAKE_OBJDUMP AND CMAKE_BUILD_TYPE STREQUAL "Release")
  add_test(NAME needs-only-the-c-library COMMAND ${CMAKE_OBJDUMP} -p $<TARGET_FILE:panorm>)
  set_tests_properties(needs-only-the-c-library PROPERTIES
    PASS_REGULAR_EXPRESSION "SONAME"
    FAIL_REGULAR_EXPRESSION "NEEDED +lib(stdc|c\\+\\+|gcc)")
endif()

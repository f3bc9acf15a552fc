# Finds the C++ compiler and sets PANORM_X86_64 or PANORM_AARCH64.

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Release, Debug or RelWithDebInfo" FORCE)
endif()

# Asked for first, since CMake's own message does not say what to install.
include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
  unset(CMAKE_CXX_COMPILER CACHE)  # or the next run would not look again
  message(FATAL_ERROR
    "No C++ compiler found. Install gcc or clang, and make or ninja: "
    "apt-get install g++ make | xcode-select --install | "
    "winget install MSYS2.MSYS2, then in its shell: pacman -S mingw-w64-x86_64-gcc ninja")
endif()
enable_language(CXX)
if(MSVC OR NOT CMAKE_CXX_COMPILER_ID MATCHES "GNU|Clang")
  message(FATAL_ERROR
    "Panorm is compiled with gcc or clang, not ${CMAKE_CXX_COMPILER_ID}: put g++ on the PATH and "
    "choose Ninja (cmake -G Ninja), or name the compiler (-DCMAKE_CXX_COMPILER=...).")
endif()

# The sources test the same macros.
include(CheckCXXSymbolExists)
check_cxx_symbol_exists(__x86_64__ "" PANORM_X86_64)
check_cxx_symbol_exists(__aarch64__ "" PANORM_AARCH64)

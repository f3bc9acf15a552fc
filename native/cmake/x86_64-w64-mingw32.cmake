# Windows on x86-64, from Debian or Ubuntu: apt-get install g++-mingw-w64-x86-64 wine64
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
find_program(CMAKE_CXX_COMPILER NAMES x86_64-w64-mingw32-g++-posix x86_64-w64-mingw32-g++ REQUIRED)

find_program(PANORM_WINE NAMES wine64 wine PATHS /usr/lib/wine)
if(PANORM_WINE)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${PANORM_WINE})
endif()

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)  # doctest is the host's

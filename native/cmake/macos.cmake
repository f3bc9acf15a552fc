# Links for macOS 11 or newer without Apple's SDK: clang-19, lld-19, llvm-19, and in place of the SDK
# the few symbols in native/cmake/macos. CMAKE_SYSTEM_PROCESSOR is arm64 or x86_64. Nothing can be
# run; on a Mac, build without a toolchain file.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_CXX_COMPILER_TARGET ${CMAKE_SYSTEM_PROCESSOR}-apple-macos11)
set(CMAKE_OSX_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/macos)
set(CMAKE_OSX_ARCHITECTURES ${CMAKE_SYSTEM_PROCESSOR})
set(CMAKE_OSX_DEPLOYMENT_TARGET 11.0)
set(CMAKE_INSTALL_NAME_TOOL llvm-install-name-tool-19)
set(CMAKE_NM llvm-nm-19)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)  # programs would need the C run time
set(CMAKE_TRY_COMPILE_PLATFORM_VARIABLES CMAKE_SYSTEM_PROCESSOR)
# Clang does not tell lld the platform unless the linker is a recent one.
set(CMAKE_SHARED_LINKER_FLAGS_INIT "-fuse-ld=lld-19 -mlinker-version=711")

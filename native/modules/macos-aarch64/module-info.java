/** Holds the native library of Panorm for macos-aarch64. */
module dev.panorm.natives.macos.aarch64 {}

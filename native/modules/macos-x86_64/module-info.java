/** Holds the native library of Panorm for macos-x86_64. */
module dev.panorm.natives.macos.x86_64 {}

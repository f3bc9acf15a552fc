/** Holds the native library of Panorm for windows-x86_64. */
module dev.panorm.natives.windows.x86_64 {}

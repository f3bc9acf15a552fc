/** Holds the native library of Panorm for linux-x86_64. */
module dev.panorm.natives.linux.x86_64 {}

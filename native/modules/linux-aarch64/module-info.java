/** Holds the native library of Panorm for linux-aarch64. */
module dev.panorm.natives.linux.aarch64 {}

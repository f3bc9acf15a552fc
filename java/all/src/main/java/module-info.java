/** The library and its native libraries for all platforms: what a user's module requires. */
module dev.panorm.all {
  requires transitive dev.panorm;
  requires dev.panorm.natives.linux.x86_64;
  requires dev.panorm.natives.linux.aarch64;
  requires dev.panorm.natives.windows.x86_64;
}

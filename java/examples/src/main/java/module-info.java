/** Programs that embed Panorm. */
module dev.panorm.examples {
  requires dev.panorm;
  requires info.picocli;
  requires jdk.management;

  opens dev.panorm.examples to
      info.picocli;
}

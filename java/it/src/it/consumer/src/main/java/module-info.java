module consumer {
  requires dev.panorm.all;
}

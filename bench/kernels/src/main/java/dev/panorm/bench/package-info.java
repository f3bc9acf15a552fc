/** Compares the library with norms written in Java; see the README of this module. */
package dev.panorm.bench;

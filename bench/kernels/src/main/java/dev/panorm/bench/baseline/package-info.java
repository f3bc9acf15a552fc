/** The norms written in Java, each way as well as we can: what native code is measured against. */
package dev.panorm.bench.baseline;

/**
 * Benchmarks of the kernels: {@link dev.panorm.bench.Compare} for ratios, the JMH classes for
 * times. See the README of this module.
 */
package dev.panorm.bench;

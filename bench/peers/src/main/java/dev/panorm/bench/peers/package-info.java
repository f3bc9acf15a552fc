/** Other libraries that compute norms, as sides of the comparisons. */
package dev.panorm.bench.peers;

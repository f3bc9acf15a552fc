/**
 * Normalization operators, forward and backward: {@link dev.panorm.RmsNorm} (with partial RMSNorm)
 * as Zhang and Sennrich's "Root Mean Square Layer Normalization" (2019) defines it, and what it is
 * compared with there: {@link dev.panorm.LayerNorm}, {@link dev.panorm.BatchNorm}, {@link
 * dev.panorm.WeightNorm} and {@link dev.panorm.L2Norm}.
 *
 * <p>Operators are immutable and thread-safe. They read and write {@linkplain dev.panorm.Tensor
 * tensors}, views of memory that the caller owns, and check every argument before they write
 * anything. Unless they are built with an executor or {@link dev.panorm.SpinningThreads}, they use
 * no thread but the caller's and, off the heap and once compiled, allocate nothing ({@link
 * dev.panorm.RmsNorm} has the details). {@link dev.panorm.Panorm} tells which backend runs them; the
 * results have the same bits on every one, and on any number of threads.
 */
package dev.panorm;

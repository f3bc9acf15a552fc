/**
 * Normalization operators, forward and backward: {@link dev.panorm.RmsNorm} (with partial RMSNorm)
 * as Zhang and Sennrich's "Root Mean Square Layer Normalization" (2019) defines it, and what it is
 * compared with there: {@link dev.panorm.LayerNorm}, {@link dev.panorm.BatchNorm}, {@link
 * dev.panorm.WeightNorm} and {@link dev.panorm.L2Norm}.
 *
 * <p>Operators are immutable and thread-safe. They read and write {@linkplain dev.panorm.Tensor
 * tensors}, views of memory that the caller owns, allocate nothing, use no thread but the caller's
 * unless they are built with an executor, and check every argument before they write anything.
 * {@link dev.panorm.Panorm} tells which backend runs them; the results have the same bits on every
 * one, and on any number of threads.
 */
package dev.panorm;

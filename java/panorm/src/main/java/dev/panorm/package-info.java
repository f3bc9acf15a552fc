/**
 * Normalization operators: {@link dev.panorm.RmsNorm} (with partial RMSNorm) and {@link
 * dev.panorm.LayerNorm}, as Zhang and Sennrich's "Root Mean Square Layer Normalization" (2019)
 * defines them.
 *
 * <p>Operators are immutable and thread-safe. They read and write {@linkplain dev.panorm.Tensor
 * tensors}, views of memory that the caller owns, allocate nothing, start no thread, and check
 * every argument before they write anything. {@link dev.panorm.Panorm} tells which backend runs
 * them; the results have the same bits on every one.
 */
package dev.panorm;

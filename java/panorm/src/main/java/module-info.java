/**
 * Normalization operators on off-heap tensors: RMSNorm, partial RMSNorm, LayerNorm and the norms
 * they are compared with.
 */
module dev.panorm {
  exports dev.panorm;
}

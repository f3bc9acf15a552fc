// A unit's table: which operator exists for which type of y. Adding either is a line here.

template <class X, class Y>
const void *kernel_for(int op) {
  switch (op) {
    case PANORM_RMS_NORM:
      return (const void *)forward<RmsNorm, X, Y>;
    case PANORM_LAYER_NORM:
      return (const void *)forward<LayerNorm, X, Y>;
#if !defined(PANORM_WIDE)  // is called by kernels only
    case PANORM_RMS_NORM | PANORM_ONE_ROW:
      return (const void *)forward_one_row<RmsNorm, X, Y>;
    case PANORM_LAYER_NORM | PANORM_ONE_ROW:
      return (const void *)forward_one_row<LayerNorm, X, Y>;
#endif
    default:
      break;
  }
  if constexpr (sizeof(X) == sizeof(Y)) {  // the rest has no mixed forms
    switch (op) {
      case PANORM_RMS_NORM_BACKWARD:
        return (const void *)backward<RmsNorm, X, Y>;
      case PANORM_LAYER_NORM_BACKWARD:
        return (const void *)backward<LayerNorm, X, Y>;
      case PANORM_BATCH_NORM:
        return (const void *)batch_norm<X, Y, true>;
#if !defined(PANORM_WIDE)
      case PANORM_BATCH_NORM_INFERENCE:
        return (const void *)batch_norm<X, Y, false>;
#endif
      case PANORM_BATCH_NORM_BACKWARD:
        return (const void *)batch_norm_backward<X, Y>;
      default:
        break;
    }
  }
  return nullptr;
}

template <class X>
const void *lookup(int op, int y_type) {
  if (y_type == kTypeCode<X>) return kernel_for<X, X>(op);
  if constexpr (sizeof(X) < 8) {
    if (y_type == PANORM_I8) return kernel_for<X, i8>(op);
  }
  if constexpr (sizeof(X) == 4) {
    if (y_type == PANORM_F16) return kernel_for<X, f16>(op);
    if (y_type == PANORM_BF16) return kernel_for<X, bf16>(op);
  }
  if constexpr (sizeof(X) == 2) {
    if (y_type == PANORM_F32) return kernel_for<X, float>(op);
  }
  return nullptr;
}

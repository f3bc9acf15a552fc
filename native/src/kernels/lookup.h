// A backend's table: which operator exists for which pair of types. Adding an operator or a type
// is a line here.

template <class X, class Y>
const void *kernel_for(int op) {
  switch (op) {
    case PANORM_RMS_NORM:
      return (const void *)forward<RmsNorm, X, Y>;
    case PANORM_LAYER_NORM:
      return (const void *)forward<LayerNorm, X, Y>;
    case PANORM_RMS_NORM | PANORM_ONE_ROW:
      return (const void *)forward_one_row<RmsNorm, X, Y>;
    case PANORM_LAYER_NORM | PANORM_ONE_ROW:
      return (const void *)forward_one_row<LayerNorm, X, Y>;
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
      case PANORM_BATCH_NORM_INFERENCE:
        return (const void *)batch_norm<X, Y, false>;
      case PANORM_BATCH_NORM_BACKWARD:
        return (const void *)batch_norm_backward<X, Y>;
      default:
        break;
    }
  }
  return nullptr;
}

constexpr int type_pair(int x_type, int y_type) { return x_type * 8 + y_type; }

const void *lookup(int op, int x_type, int y_type) {
  if ((unsigned)x_type > PANORM_I8 || (unsigned)y_type > PANORM_I8) return nullptr;
  switch (type_pair(x_type, y_type)) {
    case type_pair(PANORM_F32, PANORM_F32):
      return kernel_for<float, float>(op);
    case type_pair(PANORM_F32, PANORM_F16):
      return kernel_for<float, f16>(op);
    case type_pair(PANORM_F32, PANORM_BF16):
      return kernel_for<float, bf16>(op);
    case type_pair(PANORM_F32, PANORM_I8):
      return kernel_for<float, i8>(op);
    case type_pair(PANORM_F64, PANORM_F64):
      return kernel_for<double, double>(op);
    case type_pair(PANORM_F16, PANORM_F16):
      return kernel_for<f16, f16>(op);
    case type_pair(PANORM_F16, PANORM_F32):
      return kernel_for<f16, float>(op);
    case type_pair(PANORM_F16, PANORM_I8):
      return kernel_for<f16, i8>(op);
    case type_pair(PANORM_BF16, PANORM_BF16):
      return kernel_for<bf16, bf16>(op);
    case type_pair(PANORM_BF16, PANORM_F32):
      return kernel_for<bf16, float>(op);
    case type_pair(PANORM_BF16, PANORM_I8):
      return kernel_for<bf16, i8>(op);
    default:
      return nullptr;
  }
}

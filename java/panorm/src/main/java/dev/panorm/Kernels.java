package dev.panorm;

import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import java.util.ArrayList;
import java.util.List;

/** The kernels of an operator on a backend, by the types of x and y; found as they are met. */
final class Kernels {
  private static final int TYPES = DType.values().length;

  private final String name;
  private final Op op;
  private final Backend backend;
  private final Kernel[] kernels = new Kernel[TYPES * TYPES];

  Kernels(String name, Op op, Backend backend) {
    this.name = name;
    this.op = op;
    this.backend = backend;
  }

  Kernel of(DType x, DType y) {
    Kernel kernel = kernels[x.ordinal() * TYPES + y.ordinal()];
    return kernel != null ? kernel : find(x, y);
  }

  private Kernel find(DType x, DType y) {
    Kernel kernel = Backends.kernel(op, x, y, backend);
    if (kernel == null) {
      throw new IllegalArgumentException(
          name + " from " + x + " to " + y + " does not exist, only " + supported());
    }
    kernels[x.ordinal() * TYPES + y.ordinal()] = kernel;
    return kernel;
  }

  private List<String> supported() {
    List<String> pairs = new ArrayList<>();
    for (DType x : DType.values()) {
      for (DType y : DType.values()) {
        if (op.supports(x.element, y.element)) {
          pairs.add(x + " to " + y);
        }
      }
    }
    return pairs;
  }
}

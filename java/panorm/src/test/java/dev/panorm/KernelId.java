package dev.panorm;

import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import java.util.ArrayList;
import java.util.List;

/** An operator for a pair of types, whatever the backend. */
record KernelId(Op op, DType x, DType y) {
  /** All forward norms over rows that exist in Java, which is to say: all. */
  static List<KernelId> all() {
    List<KernelId> all = new ArrayList<>();
    for (Op op : List.of(Op.RMS_NORM, Op.LAYER_NORM)) {
      for (DType x : DType.values()) {
        for (DType y : DType.values()) {
          KernelId id = new KernelId(op, x, y);
          if (id.on(Backend.JAVA) != null) {
            all.add(id);
          }
        }
      }
    }
    return all;
  }

  /** Null if it does not exist there. */
  Kernel on(Backend backend) {
    return Backends.kernel(op, x, y, backend);
  }

  /** The available backends but Java, which they are compared with. */
  static List<Backend> nativeBackends() {
    return Panorm.availableBackends().stream().filter(b -> b != Backend.JAVA).toList();
  }

  /** Aborts the test of f16 where it is left out: Bochs 2.7 rounds ties to f16 away from zero. */
  void assumeNotLeftOut() {
    boolean withoutF16 = System.getenv("PANORM_TESTS_WITHOUT_F16") != null;
    assumeFalse(withoutF16 && (x == DType.F16 || y == DType.F16), "PANORM_TESTS_WITHOUT_F16");
  }

  @Override
  public String toString() {
    return op + " " + x + " to " + y;
  }
}

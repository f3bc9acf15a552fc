package consumer;

import dev.panorm.Backend;
import dev.panorm.DType;
import dev.panorm.Panorm;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;

/** Normalizes a row by a native kernel, or fails. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    try (Arena arena = Arena.ofConfined()) {
      Tensor x = Tensor.allocate(arena, DType.F32, 1, 2);
      x.set(0, 0, 7);
      x.set(0, 1, 1);
      RmsNorm.builder().epsilon(0).build().forward(x, x);
      System.out.println(args[0] + ": " + x.get(0, 0) + " by " + Panorm.backend());
      if (x.get(0, 0) != 1.4f || Panorm.backend() == Backend.JAVA) {
        System.exit(1);
      }
    }
  }
}

package consumer;

import dev.panorm.Backend;
import dev.panorm.DType;
import dev.panorm.Panorm;
import dev.panorm.RmsNorm;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;

/** Normalizes by a native kernel one row, which needs no linking, and two, which do; or fails. */
public final class Main {
  private Main() {}

  public static void main(String[] args) {
    try (Arena arena = Arena.ofConfined()) {
      for (int rows = 1; rows <= 2; rows++) {
        Tensor x = Tensor.allocate(arena, DType.F32, rows, 2);
        for (int row = 0; row < rows; row++) {
          x.set(row, 0, 7);
          x.set(row, 1, 1);
        }
        RmsNorm.builder().epsilon(0).build().forward(x, x);
        double result = x.get(rows - 1, 0);
        System.out.println(args[0] + ": " + result + " in row " + rows + " by " + Panorm.backend());
        if (result != 1.4f || Panorm.backend() == Backend.JAVA) {
          System.exit(1);
        }
      }
    }
  }
}

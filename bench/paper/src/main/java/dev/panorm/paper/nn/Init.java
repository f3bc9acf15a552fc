package dev.panorm.paper.nn;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** How a parameter's elements are drawn at first. */
@FunctionalInterface
public interface Init {
  void fill(float[] elements, int rows, int cols, RandomGenerator random);

  static Init constant(double value) {
    return (w, rows, cols, random) -> Arrays.fill(w, (float) value);
  }

  static Init normal(double mean, double deviation) {
    return (w, rows, cols, random) -> {
      for (int i = 0; i < w.length; i++) {
        w[i] = (float) random.nextGaussian(mean, deviation);
      }
    };
  }

  /** Uniform, of variance 2 / (rows + cols): Glorot and Bengio (2010). */
  static Init xavier() {
    return (w, rows, cols, random) -> {
      double bound = Math.sqrt(6.0 / (rows + cols));
      for (int i = 0; i < w.length; i++) {
        w[i] = (float) random.nextDouble(-bound, bound);
      }
    };
  }

  /** Orthonormal rows within each square block of a matrix that is a stack of squares. */
  static Init orthogonal() {
    return (w, rows, cols, random) -> {
      for (int r = 0; r < rows; r++) {
        int block = r / cols * cols;
        double[] row = new double[cols];
        for (int i = 0; i < cols; i++) {
          row[i] = random.nextGaussian();
        }
        for (int other = block; other < r; other++) {
          double dot = 0;
          for (int i = 0; i < cols; i++) {
            dot += row[i] * w[other * cols + i];
          }
          for (int i = 0; i < cols; i++) {
            row[i] -= dot * w[other * cols + i];
          }
        }
        double square = 0;
        for (double x : row) {
          square += x * x;
        }
        for (int i = 0; i < cols; i++) {
          w[r * cols + i] = (float) (row[i] / Math.sqrt(square));
        }
      }
    };
  }
}

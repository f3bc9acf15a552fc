package dev.panorm.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panorm.Backend;
import dev.panorm.Panorm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TransformerTest {
  private static final int[] TOKENS = {1, 17, 258, 0, 99, 99, 3, 200, 42, 1};

  /** Shapes with grouped heads, widths that no unrolling divides, both kinds of classifier. */
  @ParameterizedTest
  @CsvSource({"8, 12, 2, 2, 2, 259", "8, 7, 3, 4, 1, -259", "12, 5, 1, 6, 3, 261",
    "6, 9, 2, 3, 3, -263", "10, 1, 1, 1, 1, 260"})
  void logitsAreThoseOfADoublePrecisionReference(int dim, int hidden, int layers, int heads,
      int kvHeads, int vocabSize) {
    byte[] file = TinyModel.random(dim, hidden, layers, heads, kvHeads, vocabSize, TOKENS.length);
    Reference reference = new Reference(file, dim, hidden, layers, heads, kvHeads, vocabSize);
    for (int backend = 0; backend < Panorm.availableBackends().size(); backend++) {
      float[][] logits = run(file, Panorm.availableBackends().get(backend));
      for (int position = 0; position < TOKENS.length; position++) {
        double[] expected = reference.forward(TOKENS[position], position);
        for (int i = 0; i < expected.length; i++) {
          assertEquals(expected[i], logits[position][i], 1e-4, position + ", " + i);
        }
      }
    }
  }

  @Test
  void sameBitsOnEveryBackend() {
    byte[] file = TinyModel.random(130, 77, 3, 5, 1, -259, TOKENS.length);
    float[][] expected = run(file, Backend.JAVA);
    for (Backend backend : Panorm.availableBackends()) {
      float[][] logits = run(file, backend);
      for (int position = 0; position < TOKENS.length; position++) {
        assertArrayEquals(expected[position], logits[position], backend + ", " + position);
      }
    }
  }

  private static float[][] run(byte[] file, Backend backend) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(file.length, 64);
      bytes.copyFrom(MemorySegment.ofArray(file));
      Checkpoint model = Checkpoint.read(new DataFile("tiny", bytes));
      Transformer transformer = new Transformer(model, backend, arena);
      float[][] logits = new float[TOKENS.length][];
      for (int i = 0; i < TOKENS.length; i++) {
        logits[i] = transformer.forward(TOKENS[i], i).toArray(ValueLayout.JAVA_FLOAT);
      }
      return logits;
    }
  }

  /** The architecture as its papers state it, in double precision, on whole arrays. */
  private static final class Reference {
    private final ByteBuffer weights;
    private final int dim;
    private final int hidden;
    private final int heads;
    private final int kvHeads;
    private final int headSize;
    private final double[][] embedding;
    private final double[][] attentionGain;
    private final double[][][] wq;
    private final double[][][] wk;
    private final double[][][] wv;
    private final double[][][] wo;
    private final double[][] feedForwardGain;
    private final double[][][] w1;
    private final double[][][] w2;
    private final double[][][] w3;
    private final double[] finalGain;
    private final double[][] classifier;
    private final double[][][] keys;
    private final double[][][] values;

    Reference(byte[] file, int dim, int hidden, int layers, int heads, int kvHeads, int vocabSize) {
      this.weights = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).position(28);
      this.dim = dim;
      this.hidden = hidden;
      this.heads = heads;
      this.kvHeads = kvHeads;
      this.headSize = dim / heads;
      int kvDim = kvHeads * headSize;
      embedding = matrix(Math.abs(vocabSize), dim);
      attentionGain = matrix(layers, dim);
      wq = matrices(layers, dim, dim);
      wk = matrices(layers, kvDim, dim);
      wv = matrices(layers, kvDim, dim);
      wo = matrices(layers, dim, dim);
      feedForwardGain = matrix(layers, dim);
      w1 = matrices(layers, hidden, dim);
      w2 = matrices(layers, dim, hidden);
      w3 = matrices(layers, hidden, dim);
      finalGain = vector(dim);
      matrix(TOKENS.length, headSize);
      classifier = vocabSize > 0 ? embedding : matrix(-vocabSize, dim);
      assertEquals(0, weights.remaining());
      keys = new double[layers][TOKENS.length][];
      values = new double[layers][TOKENS.length][];
    }

    private double[] vector(int size) {
      double[] result = new double[size];
      for (int i = 0; i < size; i++) {
        result[i] = weights.getFloat();
      }
      return result;
    }

    private double[][] matrix(int rows, int cols) {
      double[][] result = new double[rows][];
      for (int i = 0; i < rows; i++) {
        result[i] = vector(cols);
      }
      return result;
    }

    private double[][][] matrices(int count, int rows, int cols) {
      double[][][] result = new double[count][][];
      for (int i = 0; i < count; i++) {
        result[i] = matrix(rows, cols);
      }
      return result;
    }

    double[] forward(int token, int position) {
      double[] x = embedding[token].clone();
      for (int layer = 0; layer < wq.length; layer++) {
        double[] h = norm(x, attentionGain[layer]);
        double[] query = rotate(times(wq[layer], h), position);
        keys[layer][position] = rotate(times(wk[layer], h), position);
        values[layer][position] = times(wv[layer], h);
        x = plus(x, times(wo[layer], attend(query, layer, position)));
        h = norm(x, feedForwardGain[layer]);
        double[] gate = times(w1[layer], h);
        double[] up = times(w3[layer], h);
        for (int i = 0; i < hidden; i++) {
          gate[i] = gate[i] / (1 + Math.exp(-gate[i])) * up[i];
        }
        x = plus(x, times(w2[layer], gate));
      }
      return times(classifier, norm(x, finalGain));
    }

    private double[] attend(double[] query, int layer, int position) {
      double[] out = new double[dim];
      for (int head = 0; head < heads; head++) {
        int from = head * headSize;
        int kvFrom = head * kvHeads / heads * headSize;
        double total = 0;
        for (int t = 0; t <= position; t++) {
          double score = 0;
          for (int i = 0; i < headSize; i++) {
            score += query[from + i] * keys[layer][t][kvFrom + i];
          }
          double weight = Math.exp(score / Math.sqrt(headSize));
          total += weight;
          for (int i = 0; i < headSize; i++) {
            out[from + i] += weight * values[layer][t][kvFrom + i];
          }
        }
        for (int i = 0; i < headSize; i++) {
          out[from + i] /= total;
        }
      }
      return out;
    }

    private double[] rotate(double[] x, int position) {
      double[] y = new double[x.length];
      for (int i = 0; i < x.length; i += 2) {
        double angle = position / Math.pow(10000, (double) (i % headSize) / headSize);
        y[i] = x[i] * Math.cos(angle) - x[i + 1] * Math.sin(angle);
        y[i + 1] = x[i] * Math.sin(angle) + x[i + 1] * Math.cos(angle);
      }
      return y;
    }

    private static double[] norm(double[] x, double[] gain) {
      double squares = 0;
      for (double value : x) {
        squares += value * value;
      }
      double[] y = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        y[i] = x[i] / Math.sqrt(squares / x.length + 1e-5) * gain[i];
      }
      return y;
    }

    private static double[] times(double[][] matrix, double[] x) {
      double[] y = new double[matrix.length];
      for (int row = 0; row < y.length; row++) {
        for (int col = 0; col < x.length; col++) {
          y[row] += matrix[row][col] * x[col];
        }
      }
      return y;
    }

    private static double[] plus(double[] a, double[] b) {
      double[] sum = new double[a.length];
      for (int i = 0; i < a.length; i++) {
        sum[i] = a[i] + b[i];
      }
      return sum;
    }
  }
}

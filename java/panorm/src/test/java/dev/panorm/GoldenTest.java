package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Against what PyTorch computed (norms.json), at sizes up to 384 columns.
 *
 * <p>Tolerance for F32: 16 units of 2^-24 of the terms that are added up in an element. Ours are
 * off by at most (6 + 8) / 2 + 5 = 12 at 384 columns (AccuracyTest derives it); PyTorch's float
 * sums are of similar kind, and 4 is what they add in practice.
 */
@ParameterizedClass
@MethodSource("dev.panorm.Panorm#availableBackends")
class GoldenTest {
  private static final double F32_TOLERANCE = 16 * 0x1p-24;

  private static JsonNode cases;

  @Parameter
  Backend backend;

  @BeforeAll
  static void read() throws IOException {
    try (InputStream in = GoldenTest.class.getResourceAsStream("norms.json")) {
      cases = new ObjectMapper().readTree(in).get("cases");
    }
  }

  private interface Check {
    void run(Case c);
  }

  /** One case of the file. */
  private record Case(JsonNode json, Arena arena) {
    int rows() {
      return json.get("rows").asInt();
    }

    int cols() {
      return json.get("cols").asInt();
    }

    double attribute(String name) {
      return json.get("attrs").get(name).asDouble();
    }

    Tensor matrix(String name) {
      return tensor("in", name, rows(), cols());
    }

    Tensor vector(String name) {
      return tensor("in", name, 1, cols());
    }

    Tensor expected(String name) {
      return tensor("out", name, rows(), cols());
    }

    Tensor output() {
      return Tensor.allocate(arena, DType.F32, rows(), cols());
    }

    private Tensor tensor(String side, String name, int rows, int cols) {
      JsonNode values = json.get(side).get(name);
      assertEquals(rows * cols, values.size(), name);
      Tensor t = Tensor.allocate(arena, DType.F32, rows, cols);
      for (int i = 0; i < rows * cols; i++) {
        t.set(i / cols, i % cols, values.get(i).asDouble());
      }
      return t;
    }

    /** @param added what was added to a product to give an element; null for nothing */
    void assertNear(String name, Tensor actual, Tensor... added) {
      Tensor expected = expected(name);
      for (int row = 0; row < rows(); row++) {
        for (int col = 0; col < cols(); col++) {
          double wanted = expected.get(row, col);
          double terms = Math.abs(wanted);
          for (Tensor vector : added) {
            terms += 2 * Math.abs(vector.get(0, col));
          }
          double got = actual.get(row, col);
          int r = row;
          int c = col;
          assertEquals(wanted, got, F32_TOLERANCE * terms,
              () -> "%s[%d][%d] of %s".formatted(name, r, c, json.toString().substring(0, 150)));
        }
      }
    }
  }

  /** Runs the cases of an operator with exactly these attributes, of which there must be some. */
  private static void each(String op, String attributes, int count, Check check) {
    List<JsonNode> selected = StreamSupport.stream(cases.spliterator(), false)
        .filter(c -> c.get("op").asText().equals(op))
        .filter(c -> attributesOf(c).equals(attributes))
        .toList();
    assertEquals(count, selected.size(), op + " " + attributes);
    for (JsonNode json : selected) {
      try (Arena arena = Arena.ofConfined()) {
        check.run(new Case(json, arena));
      }
    }
  }

  private static String attributesOf(JsonNode c) {
    return String.join(" ", c.get("attrs").propertyStream().map(e -> e.getKey()).sorted().toList());
  }

  @ParameterizedTest
  @CsvSource({"eps", "eps gain_offset"})
  void rmsNorm(String attributes) {
    each("rms_norm", attributes, 20, c -> {
      RmsNorm.Builder norm = RmsNorm.builder(c.vector("gain")).backend(backend);
      if (attributes.contains("gain_offset")) {
        norm.gainOffset(c.attribute("gain_offset"));
      }
      Tensor y = c.output();
      norm.epsilon(c.attribute("eps")).build().forward(c.matrix("x"), y);
      c.assertNear("y", y);
    });
  }

  @Test
  void partialRmsNorm() {
    each("partial_rms_norm", "eps k p", 80, c -> {
      RmsNorm.Builder norm = RmsNorm.builder(c.vector("gain"))
          .backend(backend)
          .epsilon(c.attribute("eps"));
      Tensor byShare = c.output();
      norm.partial(c.attribute("p")).build().forward(c.matrix("x"), byShare);
      c.assertNear("y", byShare);
      Tensor byWidth = c.output();
      norm.partialWidth((long) c.attribute("k")).build().forward(c.matrix("x"), byWidth);
      Tensors.assertSameBits(byShare, byWidth, "by k and by p");
    });
  }

  @Test
  void addRmsNorm() {
    each("add_rms_norm", "eps", 20, c -> {
      Tensor sum = c.matrix("residual");
      Tensor y = c.output();
      RmsNorm.builder(c.vector("gain"))
          .backend(backend)
          .epsilon(c.attribute("eps"))
          .build()
          .addForward(c.matrix("x"), sum, y);
      Tensors.assertSameBits(c.expected("sum"), sum, "sum"); // one rounding, to nearest
      c.assertNear("y", y);
    });
  }

  @Test
  void layerNorm() {
    each("layer_norm", "eps", 20, c -> {
      Tensor y = c.output();
      LayerNorm.builder(c.vector("gain"))
          .bias(c.vector("bias"))
          .backend(backend)
          .epsilon(c.attribute("eps"))
          .build()
          .forward(c.matrix("x"), y);
      // x and mean cancel: each is off by some units of a deviation, which the gain scales.
      c.assertNear("y", y, c.vector("bias"), c.vector("gain"));
    });
  }
}

package dev.panorm.bench.baseline;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/** Random numbers, which all sides are checked with, are seldom subnormal. */
class VectorF16Test {
  @Test
  void subnormalNumbersAreNumbers() {
    int n = 101;
    short[] x = new short[n];
    short[] ones = new short[n];
    for (int i = 0; i < n; i++) {
      x[i] = (short) (i % 2 == 0 ? 10 * i + 1 : 0x8000 + 10 * i);
      ones[i] = Float.floatToFloat16(1);
    }
    Norms<short[]> plain = new PlainSixteenBit.F16();
    Norms<short[]> vector = new VectorF16();
    short[] expected = new short[n];
    short[] actual = new short[n];
    plain.rmsNorm(x, ones, expected, 0, n, n, 0);
    vector.rmsNorm(x, ones, actual, 0, n, n, 0);
    assertClose(expected, actual);
    plain.layerNorm(x, ones, ones, expected, 0, n, 0);
    vector.layerNorm(x, ones, ones, actual, 0, n, 0);
    assertClose(expected, actual);
  }

  /** To a unit in the last place of numbers up to 4: sums have another order. */
  private static void assertClose(short[] expected, short[] actual) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(Float.float16ToFloat(expected[i]), Float.float16ToFloat(actual[i]), 0x1p-8f);
    }
  }
}

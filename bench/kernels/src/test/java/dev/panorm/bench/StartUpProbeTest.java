package dev.panorm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class StartUpProbeTest {
  /** Neither a fast window among slow ones is full speed, nor slow ones just before the fast. */
  @Test
  void fullSpeedBeginsWithAFastWindowOfFastOnes() {
    double[] nanos = new double[100];
    Arrays.fill(nanos, 100);
    Arrays.fill(nanos, 0, 30, 1000);
    nanos[5] = 100;
    nanos[40] = 1000;
    assertEquals(30, StartUpProbe.firstFast(nanos, 100));
  }
}

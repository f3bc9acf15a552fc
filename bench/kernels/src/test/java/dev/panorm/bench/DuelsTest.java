package dev.panorm.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DuelsTest {
  private static final long GIGABYTE = 1L << 30;

  @ParameterizedTest
  @ValueSource(longs = {1, 32, 480})
  void largestShapeIsTwiceTheLastCache(long mebibytes) {
    long bytes = 8 * Duels.beyond(mebibytes << 20, 8 * GIGABYTE).elements();
    assertTrue(bytes >= 2 * mebibytes << 20, "" + bytes);
  }

  @Test
  void largestShapeFitsInMemory() {
    assertTrue(24 * Duels.beyond(480 << 20, GIGABYTE).elements() < GIGABYTE);
    assertTrue(Duels.beyond(64 * GIGABYTE, 64 * GIGABYTE).elements() <= Shape.MAX_ELEMENTS);
  }

  /** Batches of 80 to 128 rows, 1,024 to 2,048 wide. */
  @Test
  void quickRunHasTheWorkOfRnns() {
    for (String norm : List.of("rms_norm", "partial_rms_norm", "add_rms_norm", "layer_norm")) {
      List<Shape> shapes = new Duels(false).of(Section.JAVA)
          .stream()
          .filter(d -> d.first().toString().equals("native:" + norm + ":f32"))
          .flatMap(d -> d.shapes().stream())
          .filter(shape -> shape.rows() == 128 && shape.cols() <= 2048)
          .distinct()
          .toList();
      assertEquals(List.of(new Shape(128, 1024), new Shape(128, 2048)), shapes);
    }
  }

  /** A smaller batch would be timed on one thread under the name of two. */
  @Test
  void twoThreadsAreTimedOnBatchesThatAreDivided() {
    List<Duel> duels = new Duels(false).of(Section.PEERS);
    assertEquals(
        List.of("native-2:rms_norm:f32 native:rms_norm:f32",
            "native-2:add_rms_norm:f32 native:add_rms_norm:f32"),
        duels.stream().map(d -> d.first() + " " + d.second()).toList());
    for (Duel duel : duels) {
      assertEquals(List.of(new Shape(128, 1024), new Shape(128, 2048), new Shape(512, 4096)),
          duel.shapes());
    }
    new Duels(true).of(Section.PEERS)
        .stream()
        .flatMap(d -> d.shapes().stream())
        .forEach(shape -> assertTrue(shape.elements() >= 1 << 15, "" + shape));
  }
}

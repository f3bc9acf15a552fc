package dev.panorm.paper.nn;

import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;

/**
 * Scaled dot-product attention of several heads (Vaswani et al., 2017), on sequences stored by time.
 *
 * @param batch how many sequences
 * @param heads into how many parts queries are cut
 * @param kvHeads into how many parts keys and values are cut; each serves {@code heads / kvHeads}
 *     query heads
 * @param causal whether a step sees only itself and those before
 */
public record Attention(int batch, int heads, int kvHeads, boolean causal) {

  /** What each query reads from the values; as wide as the queries. */
  public Value apply(Tape tape, Value queries, Value keys, Value values) {
    int head = queries.cols() / heads;
    int steps = queries.rows() / batch;
    int seen = keys.rows() / batch;
    Value y = tape.allocate(queries.rows(), queries.cols());
    Tensor weights = tape.scratch((long) batch * heads * steps, seen);
    Sizes sizes = new Sizes(head, steps, seen, batch * queries.cols(), batch * keys.cols());
    for (int b = 0; b < batch; b++) {
      for (int h = 0; h < heads; h++) {
        forward(sizes, part(queries.data(), b * queries.cols() + h * head),
            part(keys.data(), kvAt(b, h, keys.cols())),
            part(values.data(), kvAt(b, h, keys.cols())), weights(weights, sizes, b, h),
            part(y.data(), b * queries.cols() + h * head));
      }
    }
    tape.record(y, () -> {
      MemorySegment slopes = tape.scratch(steps, seen).segment();
      for (int b = 0; b < batch; b++) {
        for (int h = 0; h < heads; h++) {
          int at = b * queries.cols() + h * head;
          int kvAt = kvAt(b, h, keys.cols());
          MemorySegment p = weights(weights, sizes, b, h);
          MemorySegment dy = part(y.grad(), at);
          int ys = sizes.stride;
          int kvs = sizes.kvStride;
          Blas.multiply(steps, seen, head, 1, dy, ys, false, part(values.data(), kvAt), kvs, true,
              0, slopes, seen);
          Blas.multiply(seen, head, steps, 1, p, seen, true, dy, ys, false, 1,
              part(values.grad(), kvAt), kvs);
          for (long t = 0; t < steps; t++) {
            float mean = Loops.dot(slopes, t * seen, p, t * seen, seen);
            Loops.affine(slopes, t * seen, 1, -mean, slopes, t * seen, seen);
          }
          Loops.product(slopes, 0, p, 0, slopes, 0, (long) steps * seen);
          Blas.multiply(steps, head, seen, sizes.scale(), slopes, seen, false,
              part(keys.data(), kvAt), kvs, false, 1, part(queries.grad(), at), ys);
          Blas.multiply(seen, head, steps, sizes.scale(), slopes, seen, true,
              part(queries.data(), at), ys, false, 1, part(keys.grad(), kvAt), kvs);
        }
      }
    });
    return y;
  }

  /** Width of a head, steps of queries and of keys, and the distance between a sequence's steps. */
  private record Sizes(int head, int steps, int seen, int stride, int kvStride) {
    float scale() {
      return (float) (1 / Math.sqrt(head));
    }
  }

  private int kvAt(int b, int h, int kvCols) {
    return b * kvCols + h * kvHeads / heads * (kvCols / kvHeads);
  }

  private static MemorySegment part(MemorySegment segment, long at) {
    return segment.asSlice(at * Float.BYTES);
  }

  private MemorySegment weights(Tensor weights, Sizes sizes, int b, int h) {
    return part(weights.segment(), (long) (b * heads + h) * sizes.steps * sizes.seen);
  }

  private void forward(Sizes s, MemorySegment q, MemorySegment k, MemorySegment v, MemorySegment p,
      MemorySegment y) {
    Blas.multiply(s.steps, s.seen, s.head, s.scale(), q, s.stride, false, k, s.kvStride, true, 0, p,
        s.seen);
    for (long t = 0; t < s.steps; t++) {
      long visible = causal ? t + 1 : s.seen;
      Loops.softmax(p, t * s.seen, visible);
      p.asSlice((t * s.seen + visible) * Float.BYTES, (s.seen - visible) * Float.BYTES)
          .fill((byte) 0);
    }
    Blas.multiply(s.steps, s.head, s.seen, 1, p, s.seen, false, v, s.kvStride, false, 0, y,
        s.stride);
  }
}

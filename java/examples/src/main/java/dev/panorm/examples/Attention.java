package dev.panorm.examples;

import dev.panorm.DType;
import dev.panorm.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Self-attention with rotary positions and grouped heads, and the keys and values seen so far. */
final class Attention {
  private static final ValueLayout.OfFloat F32 = ValueLayout.JAVA_FLOAT;
  private static final double ROTATION_BASE = 10_000;

  private final ModelShape shape;
  private final long headBytes;
  private final float scale;
  private final Tensor query;
  private final Tensor key;
  private final Tensor value;
  private final Tensor heads;

  /** How much the head at work attends to each position. */
  private final MemorySegment weights;

  /** Row {@code layer * context + position}: the key (value) heads side by side. */
  private final MemorySegment keys;

  private final MemorySegment values;

  /** Per position, the cosine and sine by which each pair of elements is turned. */
  private final MemorySegment rotation;

  Attention(ModelShape shape, Arena arena) {
    this.shape = shape;
    this.headBytes = (long) shape.headSize() * Float.BYTES;
    this.scale = (float) (1 / Math.sqrt(shape.headSize()));
    this.query = Tensor.allocate(arena, DType.F32, 1, shape.dim());
    this.key = Tensor.allocate(arena, DType.F32, 1, shape.kvDim());
    this.value = Tensor.allocate(arena, DType.F32, 1, shape.kvDim());
    this.heads = Tensor.allocate(arena, DType.F32, 1, shape.dim());
    this.weights = Tensor.allocate(arena, DType.F32, 1, shape.context()).segment();
    long cached = (long) shape.layers() * shape.context();
    this.keys = Tensor.allocate(arena, DType.F32, cached, shape.kvDim()).segment();
    this.values = Tensor.allocate(arena, DType.F32, cached, shape.kvDim()).segment();
    this.rotation = rotation(shape, arena);
  }

  private static MemorySegment rotation(ModelShape shape, Arena arena) {
    Tensor table = Tensor.allocate(arena, DType.F32, shape.context(), shape.headSize());
    for (int i = 0; i < shape.headSize(); i += 2) {
      double frequency = StrictMath.pow(ROTATION_BASE, -(double) i / shape.headSize());
      for (int position = 0; position < shape.context(); position++) {
        long at = (long) position * shape.headSize() + i;
        double angle = position * frequency;
        table.segment().setAtIndex(F32, at, (float) StrictMath.cos(angle));
        table.segment().setAtIndex(F32, at + 1, (float) StrictMath.sin(angle));
      }
    }
    return table.segment();
  }

  /** Attends from {@code position}, the next one, to itself and all before it. */
  void forward(Checkpoint.Layer layer, int index, int position, Tensor x, Tensor y) {
    MatVec.multiply(layer.query(), x, query);
    MatVec.multiply(layer.key(), x, key);
    MatVec.multiply(layer.value(), x, value);
    rotate(query.segment(), shape.dim(), position);
    rotate(key.segment(), shape.kvDim(), position);
    long rowBytes = (long) shape.kvDim() * Float.BYTES;
    long start = (long) index * shape.context() * rowBytes;
    long now = start + position * rowBytes;
    MemorySegment.copy(key.segment(), 0, keys, now, rowBytes);
    MemorySegment.copy(value.segment(), 0, values, now, rowBytes);
    int headsPerKey = shape.heads() / shape.kvHeads();
    for (int head = 0; head < shape.heads(); head++) {
      head(head * headBytes, start + head / headsPerKey * headBytes, rowBytes, position + 1);
    }
    MatVec.multiply(layer.output(), heads, y);
  }

  /** Turns each pair of neighbours by the angle of its frequency at this position. */
  private void rotate(MemorySegment vector, int size, int position) {
    int headSize = shape.headSize();
    for (int i = 0; i < size; i += 2) {
      long at = (long) position * headSize + i % headSize;
      float cos = rotation.getAtIndex(F32, at);
      float sin = rotation.getAtIndex(F32, at + 1);
      float a = vector.getAtIndex(F32, i);
      float b = vector.getAtIndex(F32, i + 1L);
      vector.setAtIndex(F32, i, a * cos - b * sin);
      vector.setAtIndex(F32, i + 1L, a * sin + b * cos);
    }
  }

  /**
   * One query head over the cache.
   *
   * @param head byte offset of the head in the query and in the output
   * @param cached byte offset of its key and value heads at position 0
   * @param rowBytes distance between positions in the cache
   * @param positions how many positions to attend to
   */
  private void head(long head, long cached, long rowBytes, int positions) {
    int size = shape.headSize();
    float max = Float.NEGATIVE_INFINITY;
    for (int t = 0; t < positions; t++) {
      float score = scale * MatVec.dot(query.segment(), head, keys, cached + t * rowBytes, size);
      weights.setAtIndex(F32, t, score);
      max = Math.max(max, score);
    }
    float sum = 0;
    for (int t = 0; t < positions; t++) {
      float weight = (float) StrictMath.exp(weights.getAtIndex(F32, t) - max);
      weights.setAtIndex(F32, t, weight);
      sum += weight;
    }
    MemorySegment out = heads.segment();
    for (int i = 0; i < size; i++) {
      out.set(F32, head + (long) i * Float.BYTES, 0);
    }
    for (int t = 0; t < positions; t++) {
      float weight = weights.getAtIndex(F32, t) / sum;
      long row = cached + t * rowBytes;
      for (int i = 0; i < size; i++) {
        long at = (long) i * Float.BYTES;
        out.set(F32, head + at, out.get(F32, head + at) + weight * values.get(F32, row + at));
      }
    }
  }
}

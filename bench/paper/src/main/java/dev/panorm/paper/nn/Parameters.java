package dev.panorm.paper.nn;

import dev.panorm.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;

/**
 * The parameters of one model, the state of their optimizer (Adam: Kingma and Ba, 2015), and
 * whatever else a checkpoint must hold.
 */
public final class Parameters implements AutoCloseable {
  private final Workspace memory = new Workspace();
  private final long seed;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final List<Tensor> buffers = new ArrayList<>();

  private record Parameter(Value value, Tensor mean, Tensor square) {}

  /** Parameters drawn from a seed. */
  public Parameters(long seed) {
    this.seed = seed;
  }

  /**
   * A new parameter. What is drawn depends on the seed and the name only: models that differ in
   * their norms start from the same weights.
   */
  public Value create(String name, int rows, int cols, Init init) {
    float[] elements = new float[rows * cols];
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom")
        .create(seed * 0x9E3779B97F4A7C15L + name.hashCode());
    init.fill(elements, rows, cols, random);
    Value value = Value.allocate(memory, rows, cols);
    MemorySegment.copy(elements, 0, value.data(), ValueLayout.JAVA_FLOAT, 0, elements.length);
    value.grad();
    parameters.put(name, new Parameter(value, memory.zeros(rows, cols), memory.zeros(rows, cols)));
    return value;
  }

  /** State that is not trained, such as running statistics. */
  public Tensor buffer(int rows, int cols, float value) {
    Tensor buffer = memory.zeros(rows, cols);
    for (long i = 0; i < (long) rows * cols; i++) {
      Loops.set(buffer.segment(), i, value);
    }
    buffers.add(buffer);
    return buffer;
  }

  /** How many numbers are trained. */
  public long count() {
    return parameters.values().stream().mapToLong(p -> p.value.size()).sum();
  }

  /** A parameter by its name. */
  public Value get(String name) {
    return parameters.get(name).value;
  }

  /** All parameters, in the order in which they were made. */
  public List<Value> values() {
    return parameters.values().stream().map(Parameter::value).toList();
  }

  /** The Euclidean norm of all gradients together. */
  public double gradientNorm() {
    double square = 0;
    for (Parameter p : parameters.values()) {
      square += Loops.dot(p.value.grad(), 0, p.value.grad(), 0, p.value.size());
    }
    return Math.sqrt(square);
  }

  /**
   * A step of Adam with the gradients, scaled down to a norm of at most {@code clip}; then they
   * are zero.
   *
   * @param step counts from 1
   */
  public void adam(long step, double rate, double beta1, double beta2, double clip) {
    double norm = gradientNorm();
    float scale = (float) (norm > clip ? clip / norm : 1);
    double correction = Math.sqrt(1 - Math.pow(beta2, step));
    float stepRate = (float) (rate * correction / (1 - Math.pow(beta1, step)));
    float epsilon = (float) (1e-8 * correction);
    for (Parameter p : parameters.values()) {
      Loops.adam(p.value.data(), p.value.grad(), scale, p.mean.segment(), p.square.segment(),
          (float) beta1, (float) beta2, stepRate, epsilon, p.value.size());
    }
    parameters.values().forEach(p -> p.value.grad().fill((byte) 0));
  }

  /** Everything that training goes on from, in a fixed order: for checkpoints. */
  public List<MemorySegment> state() {
    List<MemorySegment> state = new ArrayList<>();
    for (Parameter p : parameters.values()) {
      state.add(p.value.data());
      state.add(p.mean.segment());
      state.add(p.square.segment());
    }
    buffers.forEach(buffer -> state.add(buffer.segment()));
    return state;
  }

  @Override
  public void close() {
    memory.close();
  }
}

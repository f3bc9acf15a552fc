package dev.panorm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panorm.internal.BackwardCall;
import dev.panorm.internal.Element;
import dev.panorm.internal.Kernel;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The calls of native/tests/same_bits.csv, whose hashes the native tests find on every platform, in
 * Java and on each backend through the bindings. Follows native/tests/call.h, which explains it.
 */
class SameBitsTest {
  /** The calls of each kernel. */
  static Iterable<Map.Entry<String, List<Call>>> kernels() throws IOException {
    Path file = Path.of(System.getProperty("basedir"), "../../native/tests/same_bits.csv");
    return Files.readAllLines(file)
        .stream()
        .filter(line -> !line.startsWith("#"))
        .map(Call::parse)
        .collect(Collectors.groupingBy(call -> call.op + " " + call.x + " to " + call.y))
        .entrySet();
  }

  @ParameterizedTest
  @MethodSource("kernels")
  void everyBackendHasTheFilesHashes(Map.Entry<String, List<Call>> calls) {
    for (Call call : calls.getValue()) {
      new KernelId(call.op, call.x, call.y).assumeNotLeftOut();
      for (Backend backend : Panorm.availableBackends()) {
        try (Arena arena = Arena.ofConfined()) {
          Memory memory = new Memory(call, arena);
          assertEquals(call.inputs, memory.hash(), () -> "inputs of " + call);
          call.run(Backends.kernel(call.op, call.x, call.y, backend), memory.segments);
          memory.dropPayloads();
          assertEquals(call.outputs, memory.hash(), () -> backend + ": " + call);
        }
      }
    }
  }

  record Call(Op op, DType x, DType y, long rows, long groups, long width, long span, long padding,
      long misalignment, int inPlace, int absent, int options, double epsilon, double gainOffset,
      Values values, long seed, String inputs, String outputs) {

    static Call parse(String line) {
      String[] f = line.split(",");
      long[] n = Arrays.stream(f, 3, 12).mapToLong(Long::parseLong).toArray();
      return new Call(Op.values()[Integer.parseInt(f[0])], DType.values()[Integer.parseInt(f[1])],
          DType.values()[Integer.parseInt(f[2])], n[0], n[1], n[2], n[3], n[4], n[5], (int) n[6],
          (int) n[7], (int) n[8], Double.parseDouble(f[12]), Double.parseDouble(f[13]),
          Values.values()[Integer.parseInt(f[14])], Long.parseLong(f[15]), f[16], f[17]);
    }

    boolean batch() {
      return op.compareTo(Op.BATCH_NORM) >= 0;
    }

    boolean backward() {
      return op.name().endsWith("BACKWARD");
    }

    long stride() {
      return groups * width + padding;
    }

    boolean far() {
      return (seed & 1) != 0;
    }

    Values parameterValues() {
      return (seed & 2) != 0 ? values : Values.NORMAL;
    }

    Values xValues() {
      return !backward() && (seed & 3) == 3 ? Values.NORMAL : values;
    }

    void run(Kernel kernel, MemorySegment[] a) {
      int output = backward() ? 5 : 4;
      MemorySegment y = inPlace == 0 ? a[output] : a[inPlace - 1];
      double divisor = batch() ? rows : span;
      if (backward()) {
        new BackwardCall(kernel, a[0], a[1], a[2], a[3], a[4], y, a[6], a[7], rows, groups, width,
            span, stride(), stride(), stride(), epsilon, gainOffset, divisor, options, false).run();
      } else {
        new dev.panorm.internal.ForwardCall(kernel, a[0], a[1], a[2], a[3], y, a[5], a[6], rows,
            groups, width, span, stride(), stride(), stride(), epsilon, gainOffset, divisor,
            options, false).run();
      }
    }
  }

  /** Made of bits, without arithmetic; {@link dev.panorm.Values} rounds what it draws. */
  enum Values {
    NORMAL, ANY_EXPONENT, HUGE, TINY, SUBNORMAL, AROUND_10000, ZEROS, SPECIAL, POSITIVE, ANY_POSITIVE, UNTOUCHED;

    long element(Format f, long random) {
      long mantissa = random & (1L << f.mantissa) - 1;
      long sign = random >>> 63;
      int pick = (int) (random >>> 52 & 0x7ff);
      int exponent = f.one() - pick % 4;
      switch (this) {
        case ANY_EXPONENT -> exponent = pick % f.special();
        case HUGE -> exponent = f.special() - 1 - pick % 6;
        case TINY -> exponent = 1 + pick % 6;
        case SUBNORMAL -> exponent = 0;
        case AROUND_10000 -> {
          exponent = f.one() + 13;
          long noise = mantissa & (1L << Math.max(f.mantissa - 12, 1)) - 1;
          mantissa = (113L << f.mantissa >> 9) ^ noise;
          sign = 0;
        }
        case ZEROS -> {
          if (pick % 8 != 0) {
            exponent = 0;
            mantissa = 0;
          }
        }
        case SPECIAL -> {
          if (pick % 64 == 0) {
            exponent = f.special();
            mantissa = (pick & 64) != 0 ? 0 : (pick & 128) != 0 ? mantissa : (1L << f.mantissa) - 1;
          }
        }
        case POSITIVE -> sign = 0;
        case ANY_POSITIVE -> {
          sign = 0;
          exponent = pick % f.exponents;
          mantissa = exponent == f.special() ? 0 : mantissa;
        }
        case NORMAL, UNTOUCHED -> {
        }
      }
      return sign << 8 * f.size - 1 | (long) exponent << f.mantissa | mantissa;
    }
  }

  record Format(long size, int mantissa, int exponents) {
    static Format of(Element type) {
      return switch (type) {
        case F32 -> new Format(4, 23, 256);
        case F64 -> new Format(8, 52, 2048);
        case F16 -> new Format(2, 10, 32);
        case BF16 -> new Format(2, 7, 256);
        case I8 -> new Format(1, 0, 0);
      };
    }

    int one() {
      return exponents / 2 - 1;
    }

    int special() {
      return exponents - 1;
    }
  }

  /** The arguments of a call in panorm.h's order, filled from its seed. */
  private static final class Memory {
    final MemorySegment[] segments = new MemorySegment[8];
    private final Element[] types = new Element[8];
    private final Call call;
    private final Arena arena;

    Memory(Call call, Arena arena) {
      this.call = call;
      this.arena = arena;
      Arrays.fill(segments, MemorySegment.NULL);
      Element statistic = Element.statisticOf(call.x.element);
      Element parameter = (call.options & Options.GAIN_F32) != 0 ? Element.F32 : call.x.element;
      long parameters = switch (call.options & Options.GAIN_PER_ROW) {
        case Options.GAIN_PER_COLUMN -> call.groups * call.width;
        case Options.GAIN_SHARED -> call.width;
        case Options.GAIN_PER_GROUP -> call.groups;
        default -> call.rows;
      };
      long statistics = call.batch() ? call.width : call.rows * call.groups;
      if (call.backward()) {
        boolean rms = call.op == Op.RMS_NORM_BACKWARD;
        Values inverse = call.far() ? Values.ANY_POSITIVE : Values.POSITIVE;
        Values mean = call.far() ? Values.ANY_EXPONENT : Values.NORMAL;
        tensor(0, call.y.element, call.far() ? call.values : Values.NORMAL);
        tensor(1, call.x.element, call.xValues());
        vector(2, parameter, parameters, call.parameterValues());
        vector(3, statistic, statistics, rms ? inverse : mean);
        vector(4, statistic, statistics, inverse);
        tensor(5, call.x.element, Values.UNTOUCHED);
        vector(6, statistic, parameters, Values.UNTOUCHED);
        vector(7, statistic, parameters, Values.UNTOUCHED);
      } else {
        boolean given = call.op == Op.BATCH_NORM_INFERENCE;
        tensor(0, call.x.element, call.xValues());
        if (call.batch()) {
          vector(1, statistic, call.width, Values.UNTOUCHED);
        } else {
          tensor(1, call.x.element, call.xValues());
        }
        vector(2, parameter, parameters, call.parameterValues());
        vector(3, parameter, parameters, call.parameterValues());
        tensor(4, call.y.element, Values.UNTOUCHED);
        vector(5, statistic, statistics, given ? Values.NORMAL : Values.UNTOUCHED);
        vector(6, statistic, statistics, given ? Values.POSITIVE : Values.UNTOUCHED);
      }
    }

    private void tensor(int index, Element type, Values values) {
      fill(index, type, call.rows, call.groups * call.width, call.stride(), values);
    }

    private void vector(int index, Element type, long length, Values values) {
      fill(index, type, 1, length, length, values);
    }

    private void fill(int index, Element type, long lines, long length, long distance,
        Values values) {
      if ((call.absent >> index & 1) != 0) {
        return;
      }
      Format f = Format.of(type);
      long offset = call.misalignment * f.size;
      long size = ((lines - 1) * distance + length) * f.size;
      MemorySegment segment = arena.allocate(offset + size, 64).asSlice(offset);
      segment.fill((byte) 0x55);
      segments[index] = segment;
      types[index] = type;
      if (values == Values.UNTOUCHED) {
        return;
      }
      RandomGenerator random = new SplittableRandom(call.seed * 8 + index);
      for (long line = 0; line < lines; line++) {
        for (long i = 0; i < length; i++) {
          Tensors.putBits(segment, f.size, line * distance + i,
              values.element(f, random.nextLong()));
        }
      }
    }

    /** All NaNs made one: their payload is the processor's choice. */
    void dropPayloads() {
      for (int index = 0; index < segments.length; index++) {
        if (types[index] != null && types[index] != Element.I8) {
          Format f = Format.of(types[index]);
          long nan = (long) f.special() << f.mantissa | 1;
          for (long i = 0; i < segments[index].byteSize() / f.size; i++) {
            if (Double.isNaN(types[index].get(segments[index], i))) {
              Tensors.putBits(segments[index], f.size, i, nan);
            }
          }
        }
      }
    }

    /** FNV-1a. */
    String hash() {
      long hash = 0xcbf29ce484222325L;
      for (MemorySegment segment : segments) {
        for (byte b : segment.toArray(JAVA_BYTE)) {
          hash = (hash ^ b & 0xff) * 0x100000001b3L;
        }
      }
      return HexFormat.of().toHexDigits(hash);
    }
  }
}

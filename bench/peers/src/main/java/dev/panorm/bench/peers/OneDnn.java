package dev.panorm.bench.peers;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.panorm.bench.Contender;
import dev.panorm.bench.Format;
import dev.panorm.bench.Operation;
import dev.panorm.bench.Problem;
import dev.panorm.bench.Task;
import dev.panorm.bench.Workload;
import dev.panorm.bench.baseline.Reader;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * oneDNN's layer_normalization, with the flag rms_norm where that is wanted, through its C API: all
 * objects are made once, a call is one dnnl_primitive_execute.
 */
public class OneDnn implements Contender {
  /** On two threads. */
  public static final class OnTwoThreads extends OneDnn {
    @Override
    public String name() {
      return "onednn-2";
    }

    @Override
    public int threads() {
      return 2;
    }
  }

  // Enumerators of dnnl_types.h and dnnl_common_types.h.
  private static final int CPU = 1;
  private static final int IN_ORDER = 1;
  private static final int FORWARD_INFERENCE = 96;
  private static final int F32 = 3;
  private static final int FORMAT_A = 2;
  private static final int FORMAT_AB = 3;
  private static final int USE_SCALE = 0x2;
  private static final int USE_SHIFT = 0x4;
  private static final int RMS_NORM = 0x20;
  private static final int ARG_SRC = 1;
  private static final int ARG_DST = 17;
  private static final int ARG_SCALE = 51;
  private static final int ARG_SHIFT = 52;

  /** struct { int arg; dnnl_memory_t memory; }. */
  private static final long ARG_SIZE = 16;

  private static final class Library {
    private static final String FOLDER = "org/bytedeco/dnnl/linux-x86_64/";
    private static final SymbolLookup LOOKUP = load();

    static final MethodHandle ENGINE_CREATE = function("dnnl_engine_create", ADDRESS, JAVA_INT,
        JAVA_LONG);
    static final MethodHandle STREAM_CREATE = function("dnnl_stream_create", ADDRESS, ADDRESS,
        JAVA_INT);
    static final MethodHandle DESC_CREATE = function("dnnl_memory_desc_create_with_tag", ADDRESS,
        JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    static final MethodHandle MEMORY_CREATE = function("dnnl_memory_create", ADDRESS, ADDRESS,
        ADDRESS, ADDRESS);
    static final MethodHandle NORM_CREATE = function(
        "dnnl_layer_normalization_forward_primitive_desc_create", ADDRESS, ADDRESS, JAVA_INT,
        ADDRESS, ADDRESS, ADDRESS, JAVA_FLOAT, JAVA_INT, ADDRESS);
    static final MethodHandle PRIMITIVE_CREATE = function("dnnl_primitive_create", ADDRESS,
        ADDRESS);
    /** As critical as the library's own calls, which saves a percent or two of one row. */
    static final MethodHandle EXECUTE = Linker.nativeLinker()
        .downcallHandle(LOOKUP.findOrThrow("dnnl_primitive_execute"),
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_INT, ADDRESS),
            Linker.Option.critical(false));

    private static SymbolLookup load() {
      try {
        Path folder = Files.createTempDirectory("panorm-onednn-");
        for (String file : new String[] {"libgomp.so.1", "libdnnl.so.3"}) {
          try (InputStream in = OneDnn.class.getClassLoader().getResourceAsStream(FOLDER + file)) {
            Files.copy(in, folder.resolve(file), StandardCopyOption.REPLACE_EXISTING);
          }
        }
        SymbolLookup openMp = SymbolLookup.libraryLookup(folder.resolve("libgomp.so.1"),
            Arena.global());
        SymbolLookup library = SymbolLookup.libraryLookup(folder.resolve("libdnnl.so.3"),
            Arena.global());
        for (String file : new String[] {"libgomp.so.1", "libdnnl.so.3", ""}) {
          Files.delete(folder.resolve(file)); // Loaded is loaded.
        }
        return name -> library.find(name).or(() -> openMp.find(name));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    private static MethodHandle function(String name, MemoryLayout... arguments) {
      return Linker.nativeLinker()
          .downcallHandle(LOOKUP.findOrThrow(name), FunctionDescriptor.of(JAVA_INT, arguments));
    }

    static void setThreads(int threads) {
      try {
        Linker.nativeLinker()
            .downcallHandle(LOOKUP.findOrThrow("omp_set_num_threads"),
                FunctionDescriptor.ofVoid(JAVA_INT))
            .invokeExact(threads);
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Override
  public String name() {
    return "onednn";
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.format() == Format.F32 && (problem.operation() == Operation.RMS_NORM
        || problem.operation() == Operation.RMS_NORM_READ
        || problem.operation() == Operation.LAYER_NORM);
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    Library.setThreads(threads());
    boolean layer = w.operation() == Operation.LAYER_NORM;
    MemorySegment x = floats(arena, w.data().x());
    MemorySegment y = floats(arena, new float[w.data().x().length]);
    MemorySegment gain = floats(arena, w.data().gain());
    MemorySegment bias = floats(arena, w.data().bias());
    try {
      MemorySegment out = arena.allocate(ADDRESS);
      requireOk((int) Library.ENGINE_CREATE.invokeExact(out, CPU, 0L));
      MemorySegment engine = out.get(ADDRESS, 0);
      requireOk((int) Library.STREAM_CREATE.invokeExact(out, engine, IN_ORDER));
      MemorySegment stream = out.get(ADDRESS, 0);
      MemorySegment rows = desc(arena, FORMAT_AB, w.rows(), w.cols());
      MemorySegment vector = desc(arena, FORMAT_A, w.cols());
      requireOk((int) Library.NORM_CREATE.invokeExact(out, engine, FORWARD_INFERENCE, rows, rows,
          MemorySegment.NULL, Workload.EPSILON,
          layer ? USE_SCALE | USE_SHIFT : USE_SCALE | RMS_NORM, MemorySegment.NULL));
      MemorySegment norm = out.get(ADDRESS, 0);
      requireOk((int) Library.PRIMITIVE_CREATE.invokeExact(out, norm));
      MemorySegment primitive = out.get(ADDRESS, 0);
      int count = layer ? 4 : 3;
      MemorySegment arguments = arena.allocate(count * ARG_SIZE, 8);
      argument(arguments, 0, ARG_SRC, memory(arena, rows, engine, x));
      argument(arguments, 1, ARG_DST, memory(arena, rows, engine, y));
      argument(arguments, 2, ARG_SCALE, memory(arena, vector, engine, gain));
      if (layer) {
        argument(arguments, 3, ARG_SHIFT, memory(arena, vector, engine, bias));
      }
      Runnable execute = () -> {
        try {
          requireOk((int) Library.EXECUTE.invokeExact(primitive, stream, count, arguments));
        } catch (Throwable e) {
          throw new IllegalStateException(e);
        }
      };
      Reader reader = new Reader();
      return new Task(w.operation() != Operation.RMS_NORM_READ ? execute : () -> {
        execute.run();
        reader.read(y);
      }, () -> y.toArray(JAVA_FLOAT));
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static MemorySegment floats(Arena arena, float[] values) {
    return arena.allocate(4L * values.length, 64).copyFrom(MemorySegment.ofArray(values));
  }

  private static MemorySegment desc(Arena arena, int format, long... sizes) throws Throwable {
    MemorySegment out = arena.allocate(ADDRESS);
    requireOk((int) Library.DESC_CREATE.invokeExact(out, sizes.length,
        arena.allocateFrom(JAVA_LONG, sizes), F32, format));
    return out.get(ADDRESS, 0);
  }

  private static MemorySegment memory(Arena arena, MemorySegment desc, MemorySegment engine,
      MemorySegment data) throws Throwable {
    MemorySegment out = arena.allocate(ADDRESS);
    requireOk((int) Library.MEMORY_CREATE.invokeExact(out, desc, engine, data));
    return out.get(ADDRESS, 0);
  }

  private static void argument(MemorySegment arguments, int i, int kind, MemorySegment memory) {
    arguments.set(JAVA_INT, i * ARG_SIZE, kind);
    arguments.set(ADDRESS, i * ARG_SIZE + 8, memory);
  }

  private static void requireOk(int status) {
    if (status != 0) {
      throw new IllegalStateException("oneDNN returned " + status);
    }
  }
}

package dev.panorm.paper.nn;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.openblas.global.openblas_nolapack;

/** Matrix products by OpenBLAS, on one thread: the same bits each time on one machine. */
final class Blas {
  private static final int ROW_MAJOR = 101;
  private static final int PLAIN = 111;
  private static final int TRANSPOSED = 112;

  private static final MethodHandle SGEMM = bind();

  private Blas() {}

  private static MethodHandle bind() {
    Loader.load(openblas_nolapack.class); // unpacks the library and loads it
    try {
      function("openblas_set_num_threads", FunctionDescriptor.ofVoid(JAVA_INT)).invokeExact(1);
    } catch (Throwable e) {
      throw new AssertionError(e); // a C function throws nothing
    }
    return function("cblas_sgemm",
        FunctionDescriptor.ofVoid(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT,
            JAVA_FLOAT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT, JAVA_FLOAT, ADDRESS, JAVA_INT));
  }

  private static MethodHandle function(String name, FunctionDescriptor descriptor) {
    return Linker.nativeLinker()
        .downcallHandle(SymbolLookup.loaderLookup().findOrThrow(name), descriptor);
  }

  /**
   * {@code c = alpha * op(a) * op(b) + beta * c}, with op(a) m x k, op(b) k x n and c m x n, all by
   * rows of the given strides.
   */
  static void multiply(int m, int n, int k, float alpha, MemorySegment a, int aStride,
      boolean aTransposed, MemorySegment b, int bStride, boolean bTransposed, float beta,
      MemorySegment c, int cStride) {
    try {
      SGEMM.invokeExact(ROW_MAJOR, aTransposed ? TRANSPOSED : PLAIN,
          bTransposed ? TRANSPOSED : PLAIN, m, n, k, alpha, a, aStride, b, bStride, beta, c,
          cStride);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }
}

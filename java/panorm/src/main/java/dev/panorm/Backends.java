package dev.panorm;

import dev.panorm.internal.Kernel;
import dev.panorm.internal.NativeLibrary;
import dev.panorm.internal.Op;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/** Which backends this process may use, and their kernels. */
final class Backends {
  private static final String PROPERTY = "panorm.backend";
  private static final String VARIABLE = "PANORM_BACKEND";

  /** The last is the active one. */
  private static final List<Backend> AVAILABLE;

  private static final Throwable NATIVE_FAILURE;

  /** As it was made: {@code -Dpanorm.backend=avx2}; null if none was. */
  private static final String SETTING;

  /** Kept, not thrown, so that every use tells it and not only the first. */
  private static final String SETTING_ERROR;

  static {
    String property = System.getProperty(PROPERTY, "");
    String name = property.isBlank() ? System.getenv(VARIABLE) : property;
    SETTING = name == null || name.isBlank()
        ? null
        : (property.isBlank() ? VARIABLE : "-D" + PROPERTY) + "=" + name;
    Backend highest = Backend.values()[Backend.values().length - 1];
    String error = null;
    if (SETTING != null) {
      try {
        highest = Backend.of(name);
      } catch (IllegalArgumentException e) {
        error = e.getMessage();
      }
    }

    List<Backend> present = new ArrayList<>(List.of(Backend.JAVA));
    Throwable failure = null;
    if (highest != Backend.JAVA && error == null) {
      try {
        NativeLibrary.load();
        for (Backend backend : Backend.values()) {
          if (backend != Backend.JAVA
              && nativeKernel(Op.RMS_NORM, DType.F32, DType.F32, backend) != null) {
            present.add(backend);
          }
        }
      } catch (IOException | RuntimeException | LinkageError e) {
        failure = e;
      }
    }
    int last = present.indexOf(highest);
    if (SETTING != null && error == null && last < 0) {
      error = absent(highest, present, failure);
    } else if (failure != null) {
      System.getLogger("dev.panorm")
          .log(Level.WARNING, "No native kernels, so norms run in Java: " + failure.getMessage());
    }
    AVAILABLE = List.copyOf(last < 0 ? present : present.subList(0, last + 1));
    NATIVE_FAILURE = failure;
    SETTING_ERROR = error == null ? null : SETTING + ": " + error;
  }

  private Backends() {}

  /** In {@link Backend}'s order: the last is the active one. */
  static List<Backend> available() {
    if (SETTING_ERROR != null) {
      throw new IllegalStateException(SETTING_ERROR, NATIVE_FAILURE);
    }
    return AVAILABLE;
  }

  static Throwable nativeFailure() {
    return NATIVE_FAILURE;
  }

  static Backend requireAvailable(Backend backend) {
    if (!available().contains(backend)) {
      String message = absent(backend, AVAILABLE, NATIVE_FAILURE);
      throw new IllegalArgumentException(SETTING == null ? message : message + " with " + SETTING);
    }
    return backend;
  }

  private static String absent(Backend backend, List<Backend> available, Throwable failure) {
    String message = "Backend " + backend + " is not available here, only " + available;
    return failure == null ? message : message + ": " + failure.getMessage();
  }

  /** The kernel of an operator on an available backend; null if it does not exist. */
  static Kernel kernel(Op op, DType x, DType y, Backend backend) {
    return backend == Backend.JAVA
        ? Kernel.inJava(op, x.element, y.element)
        : nativeKernel(op, x, y, backend);
  }

  private static Kernel nativeKernel(Op op, DType x, DType y, Backend backend) {
    int code = backend.ordinal() - Backend.SCALAR.ordinal(); // as in panorm.h
    return NativeLibrary.kernel(op, x.element, y.element, code);
  }
}

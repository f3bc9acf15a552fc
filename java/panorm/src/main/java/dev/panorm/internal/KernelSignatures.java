package dev.panorm.internal;

import static dev.panorm.internal.gen.PanormNative.C_DOUBLE;
import static dev.panorm.internal.gen.PanormNative.C_INT;
import static dev.panorm.internal.gen.PanormNative.C_LONG_LONG;
import static dev.panorm.internal.gen.PanormNative.C_POINTER;

import java.lang.foreign.FunctionDescriptor;

/**
 * The functions of panorm.h without their first parameter, which is the kernel that is called
 * instead. The bindings know them too, but to ask them for one links a handle that nothing calls.
 */
public final class KernelSignatures {
  /** panorm_forward_row. */
  public static final FunctionDescriptor FORWARD_ROW = FunctionDescriptor.of(C_INT, C_POINTER,
      C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_LONG_LONG, C_LONG_LONG, C_POINTER, C_DOUBLE,
      C_DOUBLE);

  /** panorm_forward. */
  public static final FunctionDescriptor FORWARD = FunctionDescriptor.of(C_INT, C_POINTER,
      C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_LONG_LONG, C_LONG_LONG,
      C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_DOUBLE, C_DOUBLE, C_DOUBLE,
      C_INT);

  /** panorm_backward. */
  public static final FunctionDescriptor BACKWARD = FunctionDescriptor.of(C_INT, C_POINTER,
      C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_POINTER, C_LONG_LONG,
      C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_LONG_LONG, C_DOUBLE,
      C_DOUBLE, C_DOUBLE, C_INT);

  private KernelSignatures() {}
}

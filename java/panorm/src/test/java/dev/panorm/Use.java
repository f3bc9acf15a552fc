package dev.panorm;

import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;

/**
 * A use of the public API: an operator and a call of one of its methods. Tests of memory, threads
 * and allocation run over all of them, so that a new operator is one line here.
 *
 * @param build makes the operator
 * @param call takes its tensors from the operands, in the order in which it names them
 */
record Use<N>(String name, Set<DType> types, Function<Operands, N> build,
    BiConsumer<N, Operands> call) {

  private static final Set<DType> FLOATS = Set.of(DType.F32, DType.F64, DType.F16, DType.BF16);
  private static final Set<DType> QUANTIZABLE = Set.of(DType.F32, DType.F16, DType.BF16);

  static final List<Use<?>> ALL = List.of(
      use("RMSNorm", Use::rms, (n, o) -> n.forward(o.in(), o.out(), o.rowOut())),
      use("RMSNorm in place", Use::rms, (n, o) -> {
        Tensor x = o.inOut();
        n.forward(x, x);
      }),
      use("RMSNorm without gain", o -> RmsNorm.builder().backend(o.backend).build(),
          (n, o) -> n.forward(o.in(), o.out())),
      use("partial RMSNorm",
          o -> RmsNorm.builder(o.vector()).partial(0.3).backend(o.backend).build(),
          (n, o) -> n.forward(o.in(), o.out())),
      use("RMSNorm of a sum", Use::rms,
          (n, o) -> n.addForward(o.in(), o.inOut(), o.out(), o.rowOut())),
      use("RMSNorm, gated", Use::rms, (n, o) -> n.gatedForward(o.in(), o.in(), o.out())),
      quantizedUse("RMSNorm, quantized", Use::rms,
          (n, o) -> n.quantizedForward(o.in(), o.quantized(), o.rowOut())),
      quantizedUse("RMSNorm of a sum, quantized", Use::rms,
          (n, o) -> n.addQuantizedForward(o.in(), o.inOut(), o.quantized(), o.rowOut())),
      use("RMSNorm backward", Use::rms,
          (n, o) -> n.backward(o.in(), o.in(), o.rowIn(), o.out(), o.columnOut(), o.columnOut())),
      use("LayerNorm", Use::layer, (n, o) -> n.forward(o.in(), o.out(), o.rowOut(), o.rowOut())),
      use("LayerNorm of a sum", Use::layer, (n, o) -> n.addForward(o.in(), o.inOut(), o.out())),
      quantizedUse("LayerNorm, quantized", Use::layer,
          (n, o) -> n.quantizedForward(o.in(), o.quantized(), o.rowOut())),
      quantizedUse("LayerNorm of a sum, quantized", Use::layer,
          (n, o) -> n.addQuantizedForward(o.in(), o.inOut(), o.quantized(), o.rowOut())),
      use("LayerNorm backward", Use::layer,
          (n, o) -> n.backward(o.in(), o.in(), o.rowIn(), o.rowIn(), o.out(), o.columnOut(),
              o.columnOut())),
      use("L2-Norm", Use::l2, (n, o) -> n.forward(o.in(), o.out(), o.rowOut())),
      quantizedUse("L2-Norm, quantized", Use::l2,
          (n, o) -> n.quantizedForward(o.in(), o.quantized(), o.rowOut())),
      use("L2-Norm backward", Use::l2,
          (n, o) -> n.backward(o.in(), o.in(), o.rowIn(), o.out(), o.columnOut())),
      use("WeightNorm", Use::weight, (n, o) -> n.forward(o.in(), o.out(), o.rowOut())),
      use("WeightNorm backward", Use::weight,
          (n, o) -> n.backward(o.in(), o.in(), o.rowIn(), o.out(), o.rowOut())),
      use("BatchNorm", Use::batch,
          (n, o) -> n.forward(o.in(), o.out(), o.columnIn(), o.columnIn())),
      use("BatchNorm, training", Use::batch,
          (n, o) -> n.trainingForward(o.in(), o.out(), o.columnOut(), o.columnOut(),
              o.columnOut())),
      use("BatchNorm backward", Use::batch, (n, o) -> n.backward(o.in(), o.in(), o.columnIn(),
          o.columnIn(), o.out(), o.columnOut(), o.columnOut())));

  private static RmsNorm rms(Operands o) {
    return RmsNorm.builder(o.vector()).bias(o.vector()).backend(o.backend).build();
  }

  private static LayerNorm layer(Operands o) {
    return LayerNorm.builder(o.vector()).bias(o.vector()).backend(o.backend).build();
  }

  private static L2Norm l2(Operands o) {
    return L2Norm.builder().gain(o.vector()).backend(o.backend).build();
  }

  private static WeightNorm weight(Operands o) {
    return WeightNorm.builder(o.column()).backend(o.backend).build();
  }

  private static BatchNorm batch(Operands o) {
    return BatchNorm.builder(o.vector()).bias(o.vector()).backend(o.backend).build();
  }

  private static <N> Use<N> use(String name, Function<Operands, N> build,
      BiConsumer<N, Operands> call) {
    return new Use<>(name, FLOATS, build, call);
  }

  private static <N> Use<N> quantizedUse(String name, Function<Operands, N> build,
      BiConsumer<N, Operands> call) {
    return new Use<>(name, QUANTIZABLE, build, call);
  }

  /** Builds the operator now; each run of the result is a call with the same tensors. */
  Runnable on(Operands operands) {
    N operator = build.apply(operands);
    int position = operands.position();
    return () -> {
      operands.rewind(position);
      call.accept(operator, operands);
    };
  }
}

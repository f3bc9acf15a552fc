package dev.panorm.bench.peers;

import ai.djl.Device;
import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.training.ParameterStore;
import dev.panorm.bench.Contender;
import dev.panorm.bench.Format;
import dev.panorm.bench.Operation;
import dev.panorm.bench.Problem;
import dev.panorm.bench.Task;
import dev.panorm.bench.Workload;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * PyTorch by way of DJL: its layer_norm, and RMSNorm put together of its operators, as DJL offers
 * none. Results are new tensors each time; there is no way to give it one.
 */
public class PyTorch implements Contender {
  private static final int[] COLUMNS = {1};

  /** On two threads. */
  public static final class OnTwoThreads extends PyTorch {
    @Override
    public String name() {
      return "djl-2";
    }

    @Override
    public int threads() {
      return 2;
    }
  }

  /** PyTorch's own rms_norm, in a TorchScript module of one line. */
  public static class Native extends PyTorch {
    @Override
    public String name() {
      return "djl-rms-norm";
    }

    @Override
    public boolean solves(Problem problem) {
      return problem.equals(new Problem(Operation.RMS_NORM, Format.F32));
    }

    @Override
    Supplier<NDArray> solution(Workload w, NDManager manager, NDArray x, NDArray gain) {
      Model model = Model.newInstance("norm", Device.cpu(), "PyTorch");
      try {
        model.load(new ByteArrayInputStream(TorchScript.rmsNorm(w.cols(), Workload.EPSILON)));
      } catch (IOException | MalformedModelException e) {
        throw new IllegalStateException(e);
      }
      ParameterStore store = new ParameterStore(manager, false);
      NDList inputs = new NDList(x, gain);
      // By way of the model, which is closed once nothing refers to it.
      return () -> model.getBlock().forward(store, inputs, false).singletonOrThrow();
    }
  }

  /** That on two threads. */
  public static final class NativeOnTwoThreads extends Native {
    @Override
    public String name() {
      return "djl-rms-norm-2";
    }

    @Override
    public int threads() {
      return 2;
    }
  }

  @Override
  public String name() {
    return "djl";
  }

  @Override
  public boolean solves(Problem problem) {
    return problem.format() == Format.F32 && (problem.operation() == Operation.RMS_NORM
        || problem.operation() == Operation.LAYER_NORM);
  }

  /** Read when DJL starts. */
  private void configure() {
    try {
      Path classes = Path
          .of(PyTorch.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      System.setProperty("DJL_CACHE_DIR", classes.resolveSibling("djl").toString());
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    System.setProperty("ai.djl.pytorch.num_threads", String.valueOf(threads()));
    System.setProperty("ai.djl.pytorch.num_interop_threads", "1");
  }

  @Override
  public Task bind(Workload w, Arena arena) {
    configure();
    NDManager manager = Resources.in(arena, NDManager.newBaseManager(Device.cpu(), "PyTorch"));
    NDArray x = manager.create(w.data().x(), new Shape(w.rows(), w.cols()));
    NDArray gain = manager.create(w.data().gain(), new Shape(w.cols()));
    Supplier<NDArray> solution = solution(w, manager, x, gain);
    NDArray[] y = new NDArray[1];
    return new Task(() -> {
      if (y[0] != null) {
        y[0].close();
      }
      y[0] = solution.get();
    }, () -> y[0].toFloatArray());
  }

  Supplier<NDArray> solution(Workload w, NDManager manager, NDArray x, NDArray gain) {
    if (w.operation() == Operation.LAYER_NORM) {
      NDArray bias = manager.create(w.data().bias(), new Shape(w.cols()));
      Shape row = new Shape(w.cols());
      return () -> LayerNorm.layerNorm(x, row, gain, bias, Workload.EPSILON).singletonOrThrow();
    }
    return () -> {
      try (NDArray squares = x.square();
          NDArray mean = squares.mean(COLUMNS, true);
          NDArray _ = mean.addi(Workload.EPSILON);
          NDArray root = mean.sqrt()) {
        return x.div(root).muli(gain);
      }
    };
  }
}

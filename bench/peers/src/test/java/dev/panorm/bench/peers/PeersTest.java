package dev.panorm.bench.peers;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.panorm.bench.Main;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every peer computes what the library does: a duel checks its sides first. */
class PeersTest {
  @ParameterizedTest
  @ValueSource(strings = {"onnxruntime:rms_norm", "onnxruntime:add_rms_norm",
    "onnxruntime:layer_norm", "onnxruntime-2:rms_norm", "onnxruntime-2:add_rms_norm",
    "onnxruntime-2:layer_norm", "onednn:rms_norm", "onednn:rms_norm_read", "onednn:layer_norm",
    "onednn-2:rms_norm", "onednn-2:layer_norm", "djl:rms_norm", "djl:layer_norm", "djl-2:rms_norm",
    "djl-2:layer_norm", "djl-rms-norm:rms_norm", "djl-rms-norm-2:rms_norm", "jlama:rms_norm",
    "jlama:layer_norm"})
  void computesTheSame(String side) {
    String[] duel = {"duel", side, side, "--shapes", "1x64,3x100,64x1100", "--jvms", "1", "--pairs",
      "1", "--warm-up", "0"};
    assertEquals(0, Main.run(duel));
  }
}

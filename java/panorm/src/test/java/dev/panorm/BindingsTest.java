package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.panorm.internal.Element;
import dev.panorm.internal.KernelSignatures;
import dev.panorm.internal.NativeLibrary;
import dev.panorm.internal.Op;
import dev.panorm.internal.Options;
import dev.panorm.internal.gen.PanormNative;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The Java side and panorm.h agree. */
class BindingsTest {
  @Test
  void bindingsAreThoseOfTheHeader() throws IOException, GeneralSecurityException {
    Path header = Path.of(System.getProperty("basedir"), "../../native/include/panorm.h");
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(header));
    try (InputStream in = PanormNative.class.getResourceAsStream("panorm.h.sha256")) {
      String madeFrom = new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines()
          .findFirst()
          .get();
      assertEquals(madeFrom, HexFormat.of().formatHex(digest),
          "panorm.h has changed: mvn -Pbindings -pl native generate-sources");
    }
  }

  @Test
  void abiFollowsTheHeader() {
    assertEquals(PanormNative.PANORM_ABI(), NativeLibrary.ABI);
  }

  @Test
  void enumsFollowTheHeader() {
    assertEquals(Map.of(Op.RMS_NORM, PanormNative.PANORM_RMS_NORM(), Op.LAYER_NORM,
        PanormNative.PANORM_LAYER_NORM(), Op.RMS_NORM_BACKWARD,
        PanormNative.PANORM_RMS_NORM_BACKWARD(), Op.LAYER_NORM_BACKWARD,
        PanormNative.PANORM_LAYER_NORM_BACKWARD(), Op.BATCH_NORM, PanormNative.PANORM_BATCH_NORM(),
        Op.BATCH_NORM_INFERENCE, PanormNative.PANORM_BATCH_NORM_INFERENCE(), Op.BATCH_NORM_BACKWARD,
        PanormNative.PANORM_BATCH_NORM_BACKWARD()), ordinals(Op.values()));
    assertEquals(Map.of(Element.F32, PanormNative.PANORM_F32(), Element.F64,
        PanormNative.PANORM_F64(), Element.F16, PanormNative.PANORM_F16(), Element.BF16,
        PanormNative.PANORM_BF16(), Element.I8, PanormNative.PANORM_I8()),
        ordinals(Element.values()));
    assertEquals(PanormNative.PANORM_ONE_ROW(), Op.ONE_ROW);
    int scalar = Backend.SCALAR.ordinal();
    assertEquals(PanormNative.PANORM_SCALAR(), Backend.SCALAR.ordinal() - scalar);
    assertEquals(PanormNative.PANORM_NEON(), Backend.NEON.ordinal() - scalar);
    assertEquals(PanormNative.PANORM_AVX2(), Backend.AVX2.ordinal() - scalar);
    assertEquals(PanormNative.PANORM_AVX512(), Backend.AVX512.ordinal() - scalar);
  }

  @Test
  void signaturesFollowTheHeader() {
    assumeFalse(KernelId.nativeBackends().isEmpty(), "the bindings need the native library");
    assertEquals(PanormNative.panorm_forward_row$descriptor(),
        ofTheBindings(KernelSignatures.FORWARD_ROW));
    assertEquals(PanormNative.panorm_forward$descriptor(), ofTheBindings(KernelSignatures.FORWARD));
    assertEquals(PanormNative.panorm_backward$descriptor(),
        ofTheBindings(KernelSignatures.BACKWARD));
  }

  private static FunctionDescriptor ofTheBindings(FunctionDescriptor kernel) {
    return kernel.insertArgumentLayouts(0, PanormNative.C_POINTER);
  }

  private static <E extends Enum<E>> Map<E, Integer> ordinals(E[] values) {
    return Arrays.stream(values).collect(Collectors.toMap(e -> e, Enum::ordinal));
  }

  @Test
  void optionsFollowTheHeader() {
    assertEquals(PanormNative.PANORM_EPSILON_INSIDE(), Options.EPSILON_INSIDE);
    assertEquals(PanormNative.PANORM_EPSILON_OUTSIDE(), Options.EPSILON_OUTSIDE);
    assertEquals(PanormNative.PANORM_EPSILON_FLOOR(), Options.EPSILON_FLOOR);
    assertEquals(PanormNative.PANORM_AUX_NONE(), Options.AUX_NONE);
    assertEquals(PanormNative.PANORM_AUX_ADD(), Options.AUX_ADD);
    assertEquals(PanormNative.PANORM_AUX_GATE(), Options.AUX_GATE);
    assertEquals(PanormNative.PANORM_GAIN_PER_COLUMN(), Options.GAIN_PER_COLUMN);
    assertEquals(PanormNative.PANORM_GAIN_SHARED(), Options.GAIN_SHARED);
    assertEquals(PanormNative.PANORM_GAIN_PER_GROUP(), Options.GAIN_PER_GROUP);
    assertEquals(PanormNative.PANORM_GAIN_PER_ROW(), Options.GAIN_PER_ROW);
    assertEquals(PanormNative.PANORM_ROUND_BEFORE_GAIN(), Options.ROUND_BEFORE_GAIN);
    assertEquals(PanormNative.PANORM_GAIN_F32(), Options.GAIN_F32);
    assertEquals(PanormNative.PANORM_ADD_GRADIENTS(), Options.ADD_GRADIENTS);
    assertEquals(PanormNative.PANORM_PARTS(), Options.PARTS);
  }
}

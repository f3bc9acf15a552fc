package dev.panorm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.panorm.internal.KernelSignatures;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/**
 * The metadata for GraalVM's native image, which must know each signature when it builds, names
 * those that kernels are called by. No native image has been built with it here.
 */
class NativeImageTest {
  private static final String METADATA = "META-INF/native-image/dev.panorm/panorm/reachability-metadata.json";

  @Test
  void namesAllSignatures() throws IOException {
    Set<String> expected = new TreeSet<>();
    String plain = "null";
    String critical = "{\"critical\":{\"allowHeapAccess\":false}}";
    String heap = "{\"critical\":{\"allowHeapAccess\":true}}";
    expected.add(signature(KernelSignatures.FORWARD_ROW) + critical);
    expected.add(signature(KernelSignatures.FORWARD_ROW) + heap);
    for (String options : List.of(plain, critical, heap)) {
      expected.add(signature(KernelSignatures.FORWARD) + options);
      expected.add(signature(KernelSignatures.BACKWARD) + options);
    }
    Set<String> named = new TreeSet<>();
    try (InputStream in = Panorm.class.getResourceAsStream("/" + METADATA)) {
      for (JsonNode call : new ObjectMapper().readTree(in).at("/foreign/downcalls")) {
        List<String> parameters = new ArrayList<>();
        call.get("parameterTypes").forEach(type -> parameters.add(type.asText()));
        named.add(signature(call.get("returnType").asText(), parameters) + call.get("options"));
      }
    }
    assertEquals(expected, named);
  }

  private static String signature(FunctionDescriptor descriptor) {
    return signature(name(descriptor.returnLayout().orElseThrow()),
        descriptor.argumentLayouts().stream().map(NativeImageTest::name).toList());
  }

  private static String signature(String returned, Collection<String> parameters) {
    return returned + " " + parameters + " ";
  }

  private static String name(MemoryLayout layout) {
    return switch (layout) {
      case ValueLayout.OfInt _ -> "jint";
      case ValueLayout.OfLong _ -> "jlong";
      case ValueLayout.OfDouble _ -> "jdouble";
      default -> "void*";
    };
  }
}

package dev.panorm.bench.peers;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * A model of one node, in ONNX's serialized form: protocol buffers by hand, as few as it takes.
 * Numbers of fields are those of onnx.proto.
 */
final class OnnxModel {
  private static final int IR_VERSION = 8;
  private static final int OPSET = 17;
  private static final int FLOAT = 1;

  /** Of an attribute. */
  private static final int KIND_FLOAT = 1;
  private static final int KIND_INT = 2;

  private final ByteArrayOutputStream graph = new ByteArrayOutputStream();

  /** A node that normalizes the last axis. An output that is not wanted is "". */
  OnnxModel(String domain, String op, List<String> inputs, List<String> outputs, float epsilon) {
    ByteArrayOutputStream node = new ByteArrayOutputStream();
    inputs.forEach(name -> text(node, 1, name));
    outputs.forEach(name -> text(node, 2, name));
    text(node, 4, op);
    bytes(node, 5, attribute("epsilon", KIND_FLOAT, epsilon));
    if (domain.isEmpty()) {
      bytes(node, 5, attribute("axis", KIND_INT, -1));
    }
    text(node, 7, domain);
    bytes(graph, 1, node.toByteArray());
    text(graph, 2, "norm");
  }

  private static byte[] attribute(String name, int kind, float value) {
    ByteArrayOutputStream attribute = new ByteArrayOutputStream();
    text(attribute, 1, name);
    if (kind == KIND_FLOAT) {
      key(attribute, 2, 5);
      attribute.writeBytes(floats(value));
    } else {
      number(attribute, 3, (long) value);
    }
    number(attribute, 20, kind);
    return attribute.toByteArray();
  }

  /** Constants: a gain, a bias. */
  OnnxModel constant(String name, float[] values) {
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    number(tensor, 1, values.length);
    number(tensor, 2, FLOAT);
    text(tensor, 8, name);
    bytes(tensor, 9, floats(values));
    bytes(graph, 5, tensor.toByteArray());
    return this;
  }

  OnnxModel input(String name, int rows, int cols) {
    bytes(graph, 11, value(name, rows, cols));
    return this;
  }

  OnnxModel output(String name, int rows, int cols) {
    bytes(graph, 12, value(name, rows, cols));
    return this;
  }

  private static byte[] value(String name, int... sizes) {
    ByteArrayOutputStream shape = new ByteArrayOutputStream();
    for (int size : sizes) {
      ByteArrayOutputStream dimension = new ByteArrayOutputStream();
      number(dimension, 1, size);
      bytes(shape, 1, dimension.toByteArray());
    }
    ByteArrayOutputStream tensor = new ByteArrayOutputStream();
    number(tensor, 1, FLOAT);
    bytes(tensor, 2, shape.toByteArray());
    ByteArrayOutputStream type = new ByteArrayOutputStream();
    bytes(type, 1, tensor.toByteArray());
    ByteArrayOutputStream value = new ByteArrayOutputStream();
    text(value, 1, name);
    bytes(value, 2, type.toByteArray());
    return value.toByteArray();
  }

  byte[] bytes() {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    number(model, 1, IR_VERSION);
    bytes(model, 7, graph.toByteArray());
    bytes(model, 8, operators("", OPSET));
    bytes(model, 8, operators("com.microsoft", 1));
    return model.toByteArray();
  }

  private static byte[] operators(String domain, int version) {
    ByteArrayOutputStream set = new ByteArrayOutputStream();
    text(set, 1, domain);
    number(set, 2, version);
    return set.toByteArray();
  }

  private static void key(ByteArrayOutputStream out, int field, int kind) {
    varint(out, field << 3 | kind);
  }

  private static void number(ByteArrayOutputStream out, int field, long value) {
    key(out, field, 0);
    varint(out, value);
  }

  private static void text(ByteArrayOutputStream out, int field, String value) {
    bytes(out, field, value.getBytes(StandardCharsets.UTF_8));
  }

  private static void bytes(ByteArrayOutputStream out, int field, byte[] value) {
    key(out, field, 2);
    varint(out, value.length);
    out.writeBytes(value);
  }

  private static void varint(ByteArrayOutputStream out, long value) {
    while ((value & ~0x7f) != 0) {
      out.write((int) (value & 0x7f | 0x80));
      value >>>= 7;
    }
    out.write((int) value);
  }

  private static byte[] floats(float... values) {
    ByteBuffer all = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    all.asFloatBuffer().put(values);
    return all.array();
  }
}

package dev.panorm.bench.peers;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** A TorchScript module without state, as PyTorch saves it: the only way to call rms_norm by DJL. */
final class TorchScript {
  private TorchScript() {}

  /** A module whose forward(x, gain) is torch.rms_norm over rows of so many columns. */
  static byte[] rmsNorm(int cols, float epsilon) {
    String code = """
        class Norm(Module):
          __parameters__ = []
          __buffers__ = []
          training : bool
          def forward(self: __torch__.Norm,
            x: Tensor,
            gain: Tensor) -> Tensor:
            return torch.rms_norm(x, [%d], gain, %s)
        """.formatted(cols, epsilon);
    // Pickled: an object of that class, {"training": False}; then an empty tuple.
    String data = "\u0080\u0002c__torch__\nNorm\n)\u0081}(X\b\0\0\0training\u0089ub.";
    String constants = "\u0080\u0002).";
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      add(zip, "norm/data.pkl", data);
      add(zip, "norm/code/__torch__.py", code);
      add(zip, "norm/constants.pkl", constants);
      add(zip, "norm/version", "3\n");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  private static void add(ZipOutputStream zip, String name, String latin) throws IOException {
    byte[] bytes = latin.getBytes(StandardCharsets.ISO_8859_1);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(bytes.length);
    entry.setCrc(crc.getValue());
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }
}

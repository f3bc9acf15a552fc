package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.zip.CRC32C;
import java.util.zip.CheckedInputStream;
import java.util.zip.CheckedOutputStream;

/**
 * A file from which a run goes on exactly. It is written beside the old one, which it then
 * replaces, and ends in a checksum: a torn file is refused.
 *
 * @param step how many steps are done
 * @param logLength bytes of the log that belong to them
 */
record Checkpoint(int step, long logLength) {
  private static final long MAGIC = 0x50414e4f524d3031L; // "PANORM01"
  private static final int BUFFER = 1 << 16;

  /** Writes this and the state. */
  void write(Path file, String run, List<MemorySegment> state) {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      CRC32C checksum = new CRC32C();
      try (
          FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE,
              StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
          OutputStream raw = new BufferedOutputStream(Channels.newOutputStream(channel), BUFFER);
          DataOutputStream out = new DataOutputStream(new CheckedOutputStream(raw, checksum))) {
        out.writeLong(MAGIC);
        out.writeUTF(run);
        out.writeInt(step);
        out.writeLong(logLength);
        for (MemorySegment segment : state) {
          out.writeLong(segment.byteSize());
          out.write(segment.toArray(ValueLayout.JAVA_BYTE));
        }
        out.writeLong(checksum.getValue());
        out.flush();
        channel.force(true);
      }
      Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
  }

  /**
   * Reads a checkpoint into the state.
   *
   * @param run what the file must say that it is of
   */
  static Checkpoint read(Path file, String run, List<MemorySegment> state) {
    verify(file);
    try (DataInputStream in = new DataInputStream(
        new BufferedInputStream(Files.newInputStream(file), BUFFER))) {
      in.readLong();
      if (!in.readUTF().equals(run)) {
        throw new BadInput("%s: of a run with other settings; take another --results folder", file);
      }
      Checkpoint checkpoint = new Checkpoint(in.readInt(), in.readLong());
      for (MemorySegment segment : state) {
        long size = in.readLong();
        if (size != segment.byteSize()) {
          throw new BadInput("%s: %d bytes where %d are expected", file, size, segment.byteSize());
        }
        segment.copyFrom(MemorySegment.ofArray(in.readNBytes((int) size)));
      }
      return checkpoint;
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", file, e);
    }
  }

  private static void verify(Path file) {
    try (DataInputStream in = new DataInputStream(
        new BufferedInputStream(Files.newInputStream(file), BUFFER))) {
      CRC32C checksum = new CRC32C();
      CheckedInputStream checked = new CheckedInputStream(in, checksum);
      long covered = Files.size(file) - Long.BYTES;
      boolean magic = covered > Long.BYTES && new DataInputStream(checked).readLong() == MAGIC;
      if (magic) {
        checked.skipNBytes(covered - Long.BYTES);
      }
      if (!magic || in.readLong() != checksum.getValue()) {
        throw new BadInput("%s: torn or not a checkpoint (%d bytes); delete it to start anew", file,
            covered + Long.BYTES);
      }
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", file, e);
    }
  }
}

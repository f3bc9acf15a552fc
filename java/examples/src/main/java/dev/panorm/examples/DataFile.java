package dev.panorm.examples;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.net.URL;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;

/** The bytes of one input file, off-heap, and the name that messages call it by. */
record DataFile(String name, MemorySegment bytes) {

  /** Maps a file into memory, read-only. */
  static DataFile map(Path path, Arena arena) {
    try {
      if (!Files.readAttributes(path, BasicFileAttributes.class).isRegularFile()) {
        throw new StoryException("%s: not a regular file", path);
      }
      try (FileChannel channel = FileChannel.open(path)) {
        MemorySegment bytes = channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
        return new DataFile(path.toString(), bytes);
      }
    } catch (NoSuchFileException e) {
      throw new StoryException("%s: no such file", path);
    } catch (AccessDeniedException e) {
      throw new StoryException("%s: not readable, permission denied", path);
    } catch (IOException e) {
      throw new StoryException("%s: not readable, %s", path, e.getMessage());
    }
  }

  /** Maps a file that ships with this class, or copies it off-heap when it sits inside a jar. */
  static DataFile shipped(String name, Arena arena) {
    URL url = DataFile.class.getResource(name);
    if (url == null) {
      throw new StoryException("%s: not in this build", name);
    }
    if (url.getProtocol().equals("file")) {
      return map(Path.of(URI.create(url.toString())), arena);
    }
    try (InputStream in = url.openStream()) {
      MemorySegment source = MemorySegment.ofArray(in.readAllBytes());
      MemorySegment bytes = arena.allocate(source.byteSize(), 64).copyFrom(source);
      return new DataFile(name, bytes.asReadOnly());
    } catch (IOException e) {
      throw new StoryException("%s: not readable, %s", name, e.getMessage());
    }
  }

  long size() {
    return bytes.byteSize();
  }
}

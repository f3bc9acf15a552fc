package dev.panorm.paper.run;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.panorm.paper.BadInput;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** What a run has recorded: a file of one JSON object a line. */
final class RunLog {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final List<JsonNode> entries = new ArrayList<>();

  private RunLog(Path file) {
    this.file = file;
  }

  /** An empty log, in place of any other in the file. */
  static RunLog create(Path file) {
    try {
      Files.write(file, new byte[0]);
      return new RunLog(file);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
  }

  /** The log in a file. */
  static RunLog read(Path file) {
    RunLog log = new RunLog(file);
    try {
      for (String line : Files.readAllLines(file)) {
        log.entries.add(JSON.readTree(line));
      }
      return log;
    } catch (JsonProcessingException e) {
      throw new BadInput("%s: line %d is not JSON: %s", file, log.entries.size() + 1,
          e.getOriginalMessage());
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", file, e);
    }
  }

  /** The first so many bytes of the log in a file, which loses the others. */
  static RunLog resume(Path file, long length) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (channel.size() < length) {
        throw new BadInput("%s: %d bytes, but its checkpoint was written at %d", file,
            channel.size(), length);
      }
      channel.truncate(length);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
    return read(file);
  }

  /** Adds an entry: a record. */
  void add(Object entry) {
    try {
      entries.add(JSON.valueToTree(entry));
      Files.writeString(file, JSON.writeValueAsString(entry) + "\n", StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be written: %s", file, e);
    }
  }

  /** The entries of one kind. */
  <T> List<T> entries(String type, Class<T> record) {
    return entries.stream()
        .filter(entry -> entry.path("type").asText().equals(type))
        .map(entry -> JSON.convertValue(entry, record))
        .toList();
  }

  long length() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read: %s", file, e);
    }
  }
}

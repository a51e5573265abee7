package io.takhin.cluster.raft;

import io.takhin.api.ErrorCode;
import io.takhin.api.TakhinException;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.Properties;
import java.util.UUID;
import java.util.stream.Stream;

/// Where the metadata lies, and whose it is.
///
/// ```
/// <storage.data.dir>/__metadata/
///   node.properties            version, node.id, cluster.id: written when the cluster was made
///   raft/<group>/current/      Ratis' log: log_<first>-<last>, log_inprogress_<first>,
///                              raft-meta (epoch and vote), raft-meta.conf (voters)
///   raft/<group>/sm/           snapshot.<epoch>_<index> and its digest
///   reserve                    1 MiB to give up when the disk is full (MetadataRoom)
/// ```
///
/// `node.properties` is the last thing a first start writes. Where it is, a log has to be: without
/// one the start is refused, for an empty cluster in its place would delete everybody's topics.
///
/// Threading: the kernel's, at start.
final class RaftStorageDirectory {
  /// The metadata quorum as a group of Ratis.
  static final UUID GROUP =
      UUID.nameUUIDFromBytes("takhin-metadata".getBytes(StandardCharsets.US_ASCII));

  private static final int VERSION = 1;

  private final Path directory;
  private final int nodeId;

  RaftStorageDirectory(Path dataDir, int nodeId) {
    this.directory = dataDir.resolve("__metadata");
    this.nodeId = nodeId;
  }

  /// All of it.
  Path path() {
    return directory;
  }

  /// What Ratis gets.
  Path raft() {
    return directory.resolve("raft");
  }

  /// Whether Ratis made its directory here before.
  boolean isFormatted() {
    return Files.exists(current().resolve("raft-meta"));
  }

  /// Whether a cluster was made here before.
  boolean hasCluster() {
    return Files.exists(nodeFile());
  }

  /// Looks before anything is written.
  ///
  /// @param logs how many partition logs lie in the data directory
  ///
  /// Errors: TakhinException if this is not the directory of this node, or not whole.
  void check(int logs) {
    if (!hasCluster()) {
      if (logs > 0 && !isFormatted()) {
        throw refused(
            ("%s holds %d partition logs but no metadata (%s is missing): nothing would say which"
                    + " topics they belong to, and they would be deleted. Restore %s from a"
                    + " backup, or name an empty storage.data.dir")
                .formatted(directory.getParent(), logs, nodeFile(), directory));
      }
      return;
    }
    Properties properties = readNodeFile();
    String version = properties.getProperty("version", "");
    if (!version.equals(Integer.toString(VERSION))) {
      throw refused(
          "%s is of version \"%s\", and this Takhin reads %d: start the newer one that wrote it"
              .formatted(nodeFile(), version, VERSION));
    }
    String owner = properties.getProperty("node.id", "");
    if (!owner.equals(Integer.toString(nodeId))) {
      throw refused(
          ("%s belongs to broker %s, says %s, and kafka.broker.id is %d: set kafka.broker.id to %s,"
                  + " or name another storage.data.dir")
              .formatted(directory.getParent(), owner, nodeFile(), nodeId, owner));
    }
    if (!isFormatted() || !hasLogOrSnapshot()) {
      throw refused(
          ("%s is there, but the metadata log below %s is not: restore it from a backup. Takhin does"
                  + " not begin an empty cluster where there was one")
              .formatted(nodeFile(), raft()));
    }
  }

  private boolean hasLogOrSnapshot() {
    return contains(current(), "log_") || contains(current().resolveSibling("sm"), "snapshot.");
  }

  private static boolean contains(Path directory, String prefix) {
    if (!Files.isDirectory(directory)) {
      return false;
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files.anyMatch(file -> file.getFileName().toString().startsWith(prefix));
    } catch (IOException e) {
      throw unreadable(directory, e);
    }
  }

  /// Writes down whose directory this is, once its cluster exists.
  void claim(String clusterId) {
    Path temporary = directory.resolve("node.properties.tmp");
    String text =
        "# Written by Takhin when the cluster was made. Do not edit.\nversion=%d\nnode.id=%d\ncluster.id=%s\n"
            .formatted(VERSION, nodeId, clusterId);
    try {
      try (FileChannel channel =
          FileChannel.open(
              temporary,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        channel.force(true);
      }
      Files.move(temporary, nodeFile(), StandardCopyOption.ATOMIC_MOVE);
      SnapshotFile.syncDirectory(nodeFile());
    } catch (IOException e) {
      throw unreadable(nodeFile(), e);
    }
  }

  /// The cluster that was made here.
  String clusterId() {
    return readNodeFile().getProperty("cluster.id", "");
  }

  /// Makes the directory. What a first start left that ended while Ratis made its own is removed:
  /// Ratis would refuse it for ever, and nothing was written down there yet.
  void create() {
    Path group = current().getParent();
    try {
      Files.createDirectories(raft());
      if (Files.exists(group) && !isFormatted() && !hasLogOrSnapshot()) {
        try (Stream<Path> left = Files.walk(group)) {
          for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(path);
          }
        }
      }
    } catch (IOException e) {
      throw unreadable(raft(), e);
    }
  }

  private Properties readNodeFile() {
    Properties properties = new Properties();
    try {
      if (Files.size(nodeFile()) > 64 << 10) {
        throw refused(nodeFile() + " is larger than such a file can be: restore it from a backup");
      }
      properties.load(new StringReader(Files.readString(nodeFile())));
    } catch (IOException | IllegalArgumentException e) {
      throw new TakhinException(
          ErrorCode.KAFKA_STORAGE_ERROR,
          nodeFile() + " cannot be read: restore it from a backup",
          e);
    }
    return properties;
  }

  /// Whose directory this is.
  Path nodeFile() {
    return directory.resolve("node.properties");
  }

  /// Where Ratis' log is.
  Path current() {
    return raft().resolve(GROUP.toString()).resolve("current");
  }

  private static TakhinException refused(String message) {
    return new TakhinException(ErrorCode.KAFKA_STORAGE_ERROR, message);
  }

  private static TakhinException unreadable(Path path, IOException cause) {
    return new TakhinException(
        ErrorCode.KAFKA_STORAGE_ERROR,
        "%s: %s. Check the path, its owner and the space on its disk"
            .formatted(path, cause.toString()),
        cause);
  }
}

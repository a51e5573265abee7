package io.takhin.cluster.raft;

import io.takhin.api.cluster.MetadataImage;
import io.takhin.api.cluster.MetadataImage.TopicImage;
import io.takhin.api.cluster.MetadataRecord;
import io.takhin.api.cluster.MetadataRecord.BrokerRegistered;
import io.takhin.api.cluster.MetadataRecord.ClusterCreated;
import io.takhin.api.cluster.MetadataRecord.ConfigChanged;
import io.takhin.api.cluster.MetadataRecord.FeatureFinalized;
import io.takhin.api.cluster.MetadataRecord.PartitionChanged;
import io.takhin.api.cluster.MetadataRecord.ProducerIdsAllocated;
import io.takhin.api.cluster.MetadataRecord.TopicCreated;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// An image in a file: the records that make it, in their shortest form.
///
/// ```
/// +----------+---------+-------------+------------------------------------+------------+
/// | TKHNMETA | version | offset      | records, as MetadataCodec has them | crc32c     |
/// | 8 bytes  | 1 byte  | 8 bytes, BE |                                    | 4 bytes BE |
/// +----------+---------+-------------+------------------------------------+------------+
/// ```
///
/// `offset` is the image's, which counts the records that history took, not those in the file. The
/// checksum covers all that stands before it.
final class SnapshotFile {
  private static final byte[] MAGIC = "TKHNMETA".getBytes(StandardCharsets.US_ASCII);
  private static final byte VERSION = 1;
  private static final int HEADER_BYTES = MAGIC.length + 1 + Long.BYTES;
  private static final long MAX_BYTES = 1L << 30;

  private SnapshotFile() {}

  /// Writes the file whole or not at all: under another name first, on disk before it is renamed.
  static void write(Path file, MetadataImage image) throws IOException {
    ByteBuffer records = encode(records(image));
    ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
    header.put(MAGIC).put(VERSION).putLong(image.offset()).flip();
    CRC32C crc = new CRC32C();
    crc.update(header.duplicate());
    crc.update(records.duplicate());
    ByteBuffer trailer = ByteBuffer.allocate(Integer.BYTES).putInt((int) crc.getValue()).flip();

    Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
    try (FileChannel channel =
        FileChannel.open(
            temporary,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer[] parts = {header, records, trailer};
      while (trailer.hasRemaining()) {
        channel.write(parts);
      }
      channel.force(true);
    }
    Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    syncDirectory(file);
  }

  /// The image in a file.
  ///
  /// Errors: IOException that names the file if it is damaged or of a newer version.
  static MetadataImage read(Path file) throws IOException {
    long size = Files.size(file);
    if (size < HEADER_BYTES + Integer.BYTES || size > MAX_BYTES) {
      throw new IOException(file + " is damaged: no snapshot has " + size + " bytes");
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file));
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(0, bytes.limit() - Integer.BYTES));
    if ((int) crc.getValue() != bytes.getInt(bytes.limit() - Integer.BYTES)) {
      throw new IOException(file + " is damaged: its checksum does not match");
    }
    byte[] magic = new byte[MAGIC.length];
    bytes.get(magic);
    byte version = bytes.get();
    if (!Arrays.equals(magic, MAGIC) || version != VERSION) {
      throw new IOException(
          file + " is no snapshot of version " + VERSION + ": a newer Takhin may have written it");
    }
    long offset = bytes.getLong();
    try {
      MetadataCodec.Source source =
          new MetadataCodec.Source(
              bytes.slice(bytes.position(), bytes.remaining() - Integer.BYTES));
      List<MetadataRecord> records = MetadataCodec.decode(source);
      source.end("a snapshot");
      return at(offset, MetadataImage.EMPTY.apply(records));
    } catch (MetadataCodec.Malformed | IllegalStateException e) {
      throw new IOException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /// The records that make the image from nothing.
  static List<MetadataRecord> records(MetadataImage image) {
    List<MetadataRecord> records = new ArrayList<>();
    if (!image.clusterId().isEmpty()) {
      records.add(new ClusterCreated(image.clusterId()));
    }
    image.brokers().values().forEach(broker -> records.add(new BrokerRegistered(broker)));
    image.features().forEach((name, level) -> records.add(new FeatureFinalized(name, level)));
    if (image.nextProducerId() != 0) {
      records.add(new ProducerIdsAllocated(-1, image.nextProducerId()));
    }
    for (TopicImage topic : image.topicsByName().values()) {
      records.add(new TopicCreated(topic.id(), topic.name()));
      for (int i = 0; i < topic.partitions().size(); i++) {
        records.add(new PartitionChanged(topic.id(), i, topic.partitions().get(i)));
      }
    }
    image
        .configs()
        .forEach(
            (resource, entries) ->
                entries.forEach(
                    (key, value) -> records.add(new ConfigChanged(resource, key, value))));
    return records;
  }

  private static ByteBuffer encode(List<MetadataRecord> records) {
    MetadataCodec.Sink sink = new MetadataCodec.Sink(64 + 48 * records.size());
    MetadataCodec.encode(records, sink);
    return sink.flip();
  }

  private static MetadataImage at(long offset, MetadataImage image) {
    return new MetadataImage(
        offset,
        image.clusterId(),
        image.brokers(),
        image.topicsByName(),
        image.topicsById(),
        image.configs(),
        image.nextProducerId(),
        image.features());
  }

  /// Makes a rename last: the directory itself has to be on disk.
  static void syncDirectory(Path file) throws IOException {
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null) {
      return;
    }
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }
}

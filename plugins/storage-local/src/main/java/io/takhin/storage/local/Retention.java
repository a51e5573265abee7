package io.takhin.storage.local;

import io.takhin.api.storage.LogConfig;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Decides what a log may let go, by Kafka's rules: whole segments from the oldest on, below the
/// high watermark; the last one only after another one has taken over.
final class Retention {
  private Retention() {}

  /// The new log start, and why.
  record Cut(long offset, String reason) {}

  /// Null if everything stays. Blocking: may read index files.
  static @Nullable Cut cut(LocalLog log, LogConfig config, long nowMs) throws IOException {
    Segment[] segments = log.segments();
    LogEnd end = log.end();
    long highWatermark = log.highWatermark();
    long excess = config.retentionBytes() < 0 ? -1 : log.sizeBytes() - config.retentionBytes();
    Cut cut = null;
    for (int i = 0; i < segments.length && segments[i].sizeBytes() > 0; i++) {
      boolean last = i + 1 == segments.length;
      long endOffset = last ? end.offset() : segments[i + 1].baseOffset;
      if (endOffset > highWatermark) {
        break;
      }
      if (expired(segments[i], config, nowMs)) {
        cut =
            new Cut(
                endOffset,
                "retention.ms="
                    + config.retentionMs()
                    + ", newest record "
                    + segments[i].maxTimestamp()
                    + ", now "
                    + nowMs);
      } else if (!last && excess >= segments[i].sizeBytes()) {
        cut = new Cut(endOffset, "retention.bytes=" + config.retentionBytes());
      } else if (endOffset <= log.logStartOffset()) {
        cut = new Cut(endOffset, "below the log start");
      } else {
        break;
      }
      excess -= segments[i].sizeBytes();
    }
    return cut;
  }

  private static boolean expired(Segment segment, LogConfig config, long nowMs) throws IOException {
    if (config.retentionMs() < 0) {
      return false;
    }
    long newest = segment.maxTimestamp();
    if (newest < 0) {
      newest = segment.lastModifiedMs();
    }
    return nowMs - newest > config.retentionMs();
  }
}

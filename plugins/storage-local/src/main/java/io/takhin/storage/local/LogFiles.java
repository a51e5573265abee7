package io.takhin.storage.local;

import java.nio.file.Path;

/// The names of files, as Kafka has them.
///
/// ```
/// <data.dir>/
///   .lock                               one process at a time
///   .kafka_cleanshutdown                the last run closed every log
///   .takhin-boot                        the boot of the machine that wrote last
///   meta.properties                     version, directory.id
///   recovery-point-offset-checkpoint    fsynced up to here, for each log
///   replication-offset-checkpoint       high watermarks
///   log-start-offset-checkpoint         log starts above the first segment's base
///   cleaner-offset-checkpoint           Kafka's: compacted up to here; read, never written
///   <topic>-<partition>/
///     <base offset, 20 digits>.log       batches
///     <base offset>.index .timeindex     sparse maps into it
///     <base offset>.txnindex             aborted transactions, if it has some
///     <offset>.snapshot                  producers, before that offset
///     leader-epoch-checkpoint            where each leader epoch began
///     partition.metadata                 the topic id
///     *.deleted                          goes soon
///     *.quarantined                      damaged, kept for people to look at
///   <topic>-<partition>.<id>-delete/     a deleted log, goes soon
///   <topic>-<partition>.<id>-stray/      a log of an older topic of that name, kept
/// ```
final class LogFiles {
  static final String LOG = ".log";
  static final String INDEX = ".index";
  static final String TIME_INDEX = ".timeindex";
  static final String TXN_INDEX = ".txnindex";
  static final String SNAPSHOT = ".snapshot";
  static final String DELETED = ".deleted";
  static final String CLEANED = ".cleaned";
  static final String SWAP = ".swap";
  static final String TEMPORARY = ".tmp";
  static final String QUARANTINED = ".quarantined";
  static final String EPOCHS = "leader-epoch-checkpoint";
  static final String METADATA = "partition.metadata";
  static final String DELETED_DIRECTORY = "-delete";
  static final String STRAY_DIRECTORY = "-stray";

  private static final int DIGITS = 20;
  private static final String ZEROS = "0".repeat(DIGITS);

  private LogFiles() {}

  static Path of(Path directory, long offset, String suffix) {
    String digits = Long.toString(offset);
    return directory.resolve(ZEROS.substring(digits.length()) + digits + suffix);
  }

  /// The offset in a file's name; -1 if it is not 20 digits and the suffix.
  static long offset(Path file, String suffix) {
    String name = name(file);
    if (name.length() != DIGITS + suffix.length() || !name.endsWith(suffix)) {
      return -1;
    }
    for (int i = 0; i < DIGITS; i++) {
      if (name.charAt(i) < '0' || name.charAt(i) > '9') {
        return -1;
      }
    }
    try {
      return Long.parseLong(name, 0, DIGITS, 10);
    } catch (NumberFormatException e) {
      return -1; // 20 digits can pass the largest long
    }
  }

  static String name(Path file) {
    return String.valueOf(file.getFileName());
  }
}

package io.takhin.distribution.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What became of each transaction, as clients were told and as logs and offsets show it: one
/// outcome for all of it, and the same one for ever.
///
/// Once records were lost that could be lost, nothing more is asked: a coordinator that lost its
/// records cannot know what it has promised.
final class TransactionLedger {
  private final Map<String, Txn> byRecord = new HashMap<>();
  private final Map<String, TreeMap<Long, Txn>> byOffset = new TreeMap<>();
  private final List<Txn> all = new ArrayList<>();
  private boolean suspended;

  /// A transaction of a client.
  static final class Txn {
    final String id;
    final long number;
    private boolean offsets;
    private @Nullable Boolean told;
    private @Nullable Boolean shown;

    Txn(String id, long number) {
      this.id = id;
      this.number = number;
    }

    @Override
    public String toString() {
      return id + "#" + number + " (told " + told + ", shown " + shown + ")";
    }
  }

  /// Begins one. Its number is also the offset that it commits, if it does.
  Txn begin(String id) {
    TreeMap<Long, Txn> ofId = byOffset.computeIfAbsent(id, each -> new TreeMap<>());
    Txn txn = new Txn(id, ofId.isEmpty() ? 1 : ofId.lastKey() + 1);
    ofId.put(txn.number, txn);
    all.add(txn);
    return txn;
  }

  /// It may write this record.
  void writes(Txn txn, String record) {
    byRecord.put(record, txn);
  }

  /// It has sent its offset.
  void sendsOffsets(Txn txn) {
    txn.offsets = true;
  }

  /// Its producer was told how it ended.
  void told(Txn txn, boolean commit) {
    Boolean shown = txn.shown;
    check(shown == null || shown == commit, () -> txn + " is told as committed: " + commit);
    txn.told = commit;
  }

  /// A log shows how a record's transaction ended; a record without one is passed over.
  void shown(String partition, String record, boolean commit) {
    Txn txn = byRecord.get(record);
    if (txn != null) {
      shown(txn, commit, () -> partition + " with " + record);
    }
  }

  private void shown(Txn txn, boolean commit, Supplier<String> where) {
    Boolean told = txn.told;
    Boolean before = txn.shown;
    check(
        (told == null || told == commit) && (before == null || before == commit),
        () -> txn + " is torn: committed is " + commit + " in " + where.get());
    txn.shown = commit;
  }

  /// The offset of a transactional id was shown as stable; -1 for none.
  void stableOffset(String id, long offset) {
    TreeMap<Long, Txn> ofId = byOffset.getOrDefault(id, new TreeMap<>());
    if (offset >= 0) {
      Txn txn = ofId.get(offset);
      check(txn != null && txn.offsets, () -> id + " has an offset that nobody sent: " + offset);
      if (txn != null) {
        shown(txn, true, () -> "the offset of " + id);
      }
    }
    for (Txn later : ofId.tailMap(offset, false).values()) {
      check(
          !later.offsets || !Boolean.TRUE.equals(later.told),
          () -> id + " has offset " + offset + " though " + later);
    }
  }

  /// Nothing goes on any more: the offset is that of the last transaction which was committed.
  void lastOffset(String id, long offset) {
    stableOffset(id, offset);
    for (Txn later : byOffset.getOrDefault(id, new TreeMap<>()).tailMap(offset, false).values()) {
      check(
          !later.offsets || !Boolean.TRUE.equals(later.shown),
          () -> id + " ended with offset " + offset + " though " + later);
    }
  }

  /// Records were lost that could be lost.
  void suspend() {
    suspended = true;
  }

  /// Whether nothing is asked any more.
  boolean suspended() {
    return suspended;
  }

  /// How many were begun, told as committed, and told as aborted.
  String summary() {
    long committed = all.stream().filter(txn -> Boolean.TRUE.equals(txn.told)).count();
    long aborted = all.stream().filter(txn -> Boolean.FALSE.equals(txn.told)).count();
    return all.size() + " transactions, " + committed + " committed, " + aborted + " aborted";
  }

  private void check(boolean holds, Supplier<String> violation) {
    if (!holds && !suspended) {
      throw new AssertionError(violation.get());
    }
  }
}

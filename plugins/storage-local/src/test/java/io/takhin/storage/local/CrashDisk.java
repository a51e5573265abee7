package io.takhin.storage.local;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A disk that dies at its n-th change: that one is done in half or not at all, and all later ones
/// fail. Afterwards [#cutPower] takes back what was written and not forced.
///
/// What happens to names (creations, renames, deletions) is never taken back: as on a file system
/// with an ordered journal, which all of those in use have.
final class CrashDisk extends ForwardingDisk {
  private final List<String> operations = new ArrayList<>();
  private final Map<Path, ArrayDeque<Undo>> unforced = new HashMap<>();
  private int dieAt = Integer.MAX_VALUE;

  volatile String boot = "boot-1";

  CrashDisk() {
    super(new FileDisk());
  }

  private record Undo(long offset, byte[] old, long size) {}

  /// The process has ended at this point.
  static final class Died extends IOException {
    private static final long serialVersionUID = 1L;

    Died(String operation) {
      super("died at " + operation);
    }
  }

  /// Counts from the start again, and dies at this change; -1 for never.
  synchronized void dieAt(int change) {
    operations.clear();
    dieAt = change < 0 ? Integer.MAX_VALUE : change;
  }

  /// What was changed since, each with the kind of file.
  synchronized List<String> operations() {
    return List.copyOf(operations);
  }

  synchronized boolean died() {
    return operations.size() > dieAt;
  }

  static String kind(Path path) {
    String name = LogFiles.name(path).replaceAll("[0-9]{20}", "N").replaceAll("[0-9a-f]{32}", "U");
    return name;
  }

  /// Notes a change.
  ///
  /// @return whether this is the one that is done in half
  private boolean change(String what, Path path) throws Died {
    String operation = what + " " + kind(path);
    int number = operations.size();
    operations.add(operation);
    if (number > dieAt) {
      throw new Died(operation);
    }
    return number == dieAt;
  }

  /// Takes back writes that were not forced: all of them, or some, as the disk had ordered them.
  synchronized void cutPower(Random random, double kept) throws IOException {
    for (Map.Entry<Path, ArrayDeque<Undo>> entry : unforced.entrySet()) {
      if (!disk.exists(entry.getKey())) {
        continue;
      }
      try (File file = disk.open(entry.getKey(), false)) {
        boolean shorter = true;
        while (!entry.getValue().isEmpty()) {
          Undo undo = entry.getValue().removeLast();
          if (random.nextDouble() < kept) {
            shorter = false;
            continue;
          }
          long end = file.size();
          if (end > undo.size()) {
            long from = Math.max(undo.size(), undo.offset());
            if (shorter) {
              file.truncate(undo.size());
            } else if (from < end) {
              write(file, new byte[(int) Math.min(end - from, 512)], from);
            }
          }
          write(file, undo.old(), undo.offset());
        }
      }
    }
    unforced.clear();
  }

  private static void write(File file, byte[] bytes, long at) throws IOException {
    if (bytes.length > 0) {
      file.write(new ByteBuffer[] {ByteBuffer.wrap(bytes)}, 1, at);
    }
  }

  @Override
  public synchronized File open(Path path, boolean create) throws IOException {
    if (create && !disk.exists(path) && change("create", path)) {
      throw new Died("create");
    }
    return new CrashFile(path, disk.open(path, create));
  }

  @Override
  public synchronized void rename(Path from, Path to) throws IOException {
    if (change("rename to", to)) {
      throw new Died("rename");
    }
    disk.rename(from, to);
    List<Path> moved = unforced.keySet().stream().filter(file -> file.startsWith(from)).toList();
    unforced.keySet().removeIf(file -> file.startsWith(to) && !file.startsWith(from));
    for (Path file : moved) {
      Path now = file.equals(from) ? to : to.resolve(from.relativize(file));
      ArrayDeque<Undo> undo = unforced.remove(file);
      if (undo != null) {
        unforced.put(now, undo);
      }
    }
  }

  @Override
  public synchronized void delete(Path path) throws IOException {
    if (!disk.exists(path)) {
      return;
    }
    if (change("delete", path)) {
      throw new Died("delete");
    }
    disk.delete(path);
    unforced.remove(path);
  }

  @Override
  public synchronized void createDirectories(Path directory) throws IOException {
    if (!disk.exists(directory) && change("mkdir", directory)) {
      throw new Died("mkdir");
    }
    disk.createDirectories(directory);
  }

  @Override
  public synchronized void forceDirectory(Path directory) throws IOException {
    if (change("force directory", directory)) {
      throw new Died("force directory");
    }
  }

  @Override
  public String bootId() {
    return boot;
  }

  private final class CrashFile extends ForwardingFile {
    private final Path path;

    CrashFile(Path path, File file) {
      super(file);
      this.path = path;
    }

    private void remember(long from, long bytes) throws IOException {
      long size = file.size();
      ByteBuffer old = ByteBuffer.allocate((int) Math.clamp(size - from, 0, bytes));
      file.read(old, from);
      unforced
          .computeIfAbsent(path, key -> new ArrayDeque<>())
          .addLast(new Undo(from, old.array(), size));
    }

    @Override
    public void write(ByteBuffer[] sources, int count, long position) throws IOException {
      synchronized (CrashDisk.this) {
        boolean half = change("write", path);
        int size = 0;
        for (int i = 0; i < count; i++) {
          size += sources[i].remaining();
        }
        remember(position, size);
        if (!half) {
          file.write(sources, count, position);
          return;
        }
        ByteBuffer torn = ByteBuffer.allocate(size);
        for (int i = 0; i < count; i++) {
          torn.put(sources[i].duplicate());
        }
        torn.flip().limit(size / 2);
        file.write(new ByteBuffer[] {torn}, 1, position);
        throw new Died("write");
      }
    }

    @Override
    public void truncate(long size) throws IOException {
      synchronized (CrashDisk.this) {
        if (size == file.size()) {
          return;
        }
        if (change("truncate", path)) {
          throw new Died("truncate");
        }
        remember(size, Integer.MAX_VALUE);
        file.truncate(size);
      }
    }

    @Override
    public void force() throws IOException {
      synchronized (CrashDisk.this) {
        if (change("force", path)) {
          throw new Died("force");
        }
        unforced.remove(path);
      }
    }
  }
}

package io.takhin.testkit.simulation;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A file system in memory that keeps what POSIX promises and not more.
///
/// ```
/// a write       page cache  ---force--->  disk
/// a name        page cache  ---forceDirectory--->  disk
/// power cut     of what was not forced, the seed keeps for each file: nothing, all, the first
///               writes with the last one torn, or any of the pages; for each directory: the first
///               so many changes
/// ```
///
/// Files know nothing of each other: a later write to one may survive an earlier one to another.
/// A force that fails drops the pages: the file reads as it is on disk from then on, or as before
/// until power is lost, for systems differ; no later force writes them. Every operation may be the
/// one at which the process dies.
///
/// Threading: the simulation's.
public final class SimulatedDisk {
  private static final long CAPACITY = 1L << 40;

  private final Simulation simulation;
  private final Directory root = new Directory();
  private final Map<Path, Node> found = new HashMap<>(); // what paths lead to, until a name goes
  private final Set<Path> locked = new HashSet<>();
  private @Nullable SimulatedProcess user;
  private int boots = 1;
  private long operations;
  private long crashAt = Long.MAX_VALUE;
  private long failAt = Long.MAX_VALUE;
  private long room = Long.MAX_VALUE;
  private boolean failed;
  private boolean slow;

  /// An empty disk.
  public SimulatedDisk(Simulation simulation) {
    this.simulation = simulation;
  }

  /// No room: ENOSPC.
  public static final class NoSpaceException extends IOException {
    private static final long serialVersionUID = 1L;

    NoSpaceException(Path path) {
      super(path + ": No space left on device");
    }
  }

  /// Who uses it: the process that dies at a crash point, and gives up its locks then.
  public void mount(SimulatedProcess process) {
    user = process;
    process.afterDeath(locked::clear);
  }

  // Faults.

  /// Lets the process die at the so manieth operation from now.
  public void crashAfter(int count) {
    crashAt = operations + count;
  }

  /// Lets the first operation that can fail with EIO do so, the so manieth from now or later.
  public void failAfter(int count) {
    failAt = operations + count;
  }

  /// Whether an operation has failed with EIO since the last boot or [#heal].
  public boolean failed() {
    return failed;
  }

  /// So many bytes more can be written; then ENOSPC.
  public void room(long bytes) {
    room = bytes;
  }

  /// Writes and fsyncs take long from now on, or no longer.
  public void slow(boolean on) {
    slow = on;
  }

  /// No faults are planned any more.
  public void heal() {
    crashAt = Long.MAX_VALUE;
    failAt = Long.MAX_VALUE;
    room = Long.MAX_VALUE;
    failed = false;
    slow = false;
  }

  /// The machine loses power and boots again.
  public void powerCut() {
    simulation.note("power cut");
    root.losePower(simulation);
    found.clear();
    boots++;
  }

  /// Changes with each boot of the machine.
  public String bootId() {
    return "boot-" + boots;
  }

  // Operations.

  private void operation(String what, Path path) throws IOException {
    if (!observed()) {
      simulation.note(what + " " + path);
      happens(path);
    }
  }

  private void operation(String what, long number, Path path) throws IOException {
    if (!observed()) {
      simulation.note(what, number, path.toString());
      happens(path);
    }
  }

  /// Whether these are the observer's own reads: no faults, no events.
  private static boolean observed() {
    return !Thread.currentThread().isVirtual();
  }

  private void happens(Path path) throws IOException {
    if (++operations >= crashAt && user != null) {
      crashAt = Long.MAX_VALUE;
      simulation.note("crash point " + operations);
      user.die();
    }
    if (operations >= failAt) {
      failAt = Long.MAX_VALUE;
      failed = true;
      simulation.note("EIO");
      throw new IOException(path + ": Input/output error");
    }
  }

  private void take(long nanos) {
    if (Thread.currentThread().isVirtual()) {
      simulation.pause(slow ? nanos * 200 : nanos);
    }
  }

  private @Nullable Node find(Path path) {
    Node known = found.get(path);
    if (known != null) {
      return known;
    }
    Node node = root;
    for (Path name : path) {
      if (!(node instanceof Directory directory)) {
        return null;
      }
      node = directory.cached.get(name.toString());
      if (node == null) {
        return null;
      }
    }
    found.put(path, node);
    return node;
  }

  private Directory parent(Path path) throws IOException {
    Path parent = path.getParent();
    if (parent != null && find(parent) instanceof Directory directory) {
      return directory;
    }
    throw new NoSuchFileException(path.toString());
  }

  private static String name(Path path) {
    return String.valueOf(path.getFileName());
  }

  /// Opens a file for reading and writing.
  public OpenFile open(Path path, boolean create) throws IOException {
    operation(create ? "open or create" : "open", path);
    Node node = find(path);
    if (node == null) {
      Directory in = parent(path);
      if (!create) {
        throw new NoSuchFileException(path.toString());
      }
      SimulatedFile made = new SimulatedFile();
      made.modifiedMs = simulation.wallMs();
      in.change(names -> names.put(name(path), made));
      return new OpenFile(path, made);
    }
    if (node instanceof SimulatedFile file) {
      return new OpenFile(path, file);
    }
    throw new IOException(path + ": Is a directory");
  }

  /// Renames within a directory, replacing what is there.
  public void rename(Path from, Path to) throws IOException {
    operation("rename to " + name(to), from);
    Directory in = parent(from);
    if (in != parent(to)) {
      throw new IOException("the simulated disk renames within a directory alone: " + from);
    }
    Node node = in.cached.get(name(from));
    if (node == null) {
      throw new NoSuchFileException(from.toString());
    }
    in.change(
        names -> {
          names.remove(name(from));
          names.put(name(to), node);
        });
    found.clear();
  }

  /// Deletes a file or an empty directory, if there is one.
  public void delete(Path path) throws IOException {
    operation("delete", path);
    Node node = find(path);
    if (node == null) {
      return;
    }
    if (node instanceof Directory directory && !directory.cached.isEmpty()) {
      throw new IOException(path + ": Directory not empty");
    }
    parent(path).change(names -> names.remove(name(path)));
    found.clear();
  }

  /// What a directory holds, by name.
  public List<Path> list(Path path) throws IOException {
    operation("list", path);
    if (find(path) instanceof Directory directory) {
      return directory.cached.keySet().stream().map(path::resolve).toList();
    }
    throw new NoSuchFileException(path.toString());
  }

  /// Whether there is something of that name.
  public boolean exists(Path path) {
    return find(path) != null;
  }

  /// Whether it is a directory.
  public boolean isDirectory(Path path) {
    return find(path) instanceof Directory;
  }

  private SimulatedFile file(Path path) throws IOException {
    if (find(path) instanceof SimulatedFile file) {
      return file;
    }
    throw new NoSuchFileException(path.toString());
  }

  /// A file's size.
  public long size(Path path) throws IOException {
    return file(path).size();
  }

  /// When a file was written last, by the wall clock.
  public long lastModifiedMs(Path path) throws IOException {
    return file(path).modifiedMs;
  }

  /// Makes a directory and those above it.
  public void createDirectories(Path path) throws IOException {
    operation("mkdir", path);
    Directory in = root;
    for (Path part : path) {
      Node next = in.cached.get(part.toString());
      if (next == null) {
        Directory made = new Directory();
        in.change(names -> names.put(part.toString(), made));
        next = made;
      }
      if (!(next instanceof Directory directory)) {
        throw new IOException(path + ": Not a directory");
      }
      in = directory;
    }
  }

  /// Makes the names in a directory durable.
  public void forceDirectory(Path path) throws IOException {
    operation("force directory", path);
    if (!(find(path.normalize()) instanceof Directory directory)) {
      throw new NoSuchFileException(path.toString());
    }
    directory.force();
  }

  /// Takes a lock that ends with its process; whether it was free.
  public boolean lock(Path path) {
    return locked.add(path);
  }

  /// Gives it up.
  public void unlock(Path path) {
    locked.remove(path);
  }

  /// How large the disk is.
  public long totalBytes() {
    return CAPACITY;
  }

  /// What may still be written.
  public long usableBytes() {
    return Math.min(room, CAPACITY);
  }

  /// An open file. It stays usable when its name is gone.
  public final class OpenFile {
    private static final long WRITE_NANOS = 20_000;
    private static final long FORCE_NANOS = 2_000_000;

    private final Path path;
    private final SimulatedFile file;
    private final boolean pauses;

    private OpenFile(Path path, SimulatedFile file) {
      this.path = path;
      this.file = file;
      // Small files are written under monitors, where nobody may pause: see Simulation.
      this.pauses = path.toString().endsWith(".log");
    }

    /// Its size.
    public long size() {
      return file.size();
    }

    /// Reads as far as the file goes.
    public int read(ByteBuffer target, long position) throws IOException {
      operation("read at", position, path);
      return file.read(target, position);
    }

    /// Writes all, or as much as there is room for.
    public void write(ByteBuffer[] sources, int count, long position) throws IOException {
      byte[] all = gathered(sources, count);
      int begun = simulation.random().nextInt(all.length + 1);
      long before = operations;
      try {
        operation("write at", position, path);
      } catch (IOException e) {
        file.write(all, begun, position, simulation.wallMs());
        throw e;
      }
      int fits = (int) Math.min(all.length, Math.max(0, room));
      if (pauses && before % 3 == 0 && simulation.chance(0.5)) {
        file.write(all, Math.min(begun, fits), position, simulation.wallMs());
        take(WRITE_NANOS); // a kill meanwhile leaves a torn write behind
      }
      file.write(all, fits, position, simulation.wallMs());
      if (room != Long.MAX_VALUE) {
        room -= fits;
      }
      if (fits < all.length) {
        simulation.note("ENOSPC");
        throw new NoSpaceException(path);
      }
    }

    private byte[] gathered(ByteBuffer[] sources, int count) {
      int length = 0;
      for (int i = 0; i < count; i++) {
        length += sources[i].remaining();
      }
      byte[] all = new byte[length];
      int at = 0;
      for (int i = 0; i < count; i++) {
        int part = sources[i].remaining();
        sources[i].get(all, at, part);
        at += part;
      }
      return all;
    }

    /// Cuts it, or makes it longer with zeros.
    public void truncate(long size) throws IOException {
      operation("truncate to", size, path);
      file.truncate((int) size, simulation.wallMs());
    }

    /// Makes its content durable.
    public void force() throws IOException {
      List<SimulatedFile.Change> begun = file.changes();
      SimulatedFile.Change last = begun.isEmpty() ? null : begun.getLast();
      try {
        operation("force", path);
      } catch (IOException e) {
        file.forget(simulation.chance(0.5));
        throw e;
      }
      if (pauses) {
        take(FORCE_NANOS / 4 + simulation.random().nextInt((int) FORCE_NANOS));
      }
      file.force(last);
    }
  }

  /// A file or a directory.
  sealed interface Node permits Directory, SimulatedFile {
    void losePower(Simulation simulation);
  }

  /// Names, as processes see them and as they are on disk.
  static final class Directory implements Node {
    private interface Change {
      void apply(TreeMap<String, Node> names);
    }

    private TreeMap<String, Node> cached = new TreeMap<>();
    private final TreeMap<String, Node> durable = new TreeMap<>();
    private final List<Change> changes = new ArrayList<>();

    void change(Change change) {
      change.apply(cached);
      changes.add(change);
    }

    void force() {
      changes.forEach(change -> change.apply(durable));
      changes.clear();
    }

    @Override
    public void losePower(Simulation simulation) {
      int kept = changes.isEmpty() ? 0 : simulation.random().nextInt(changes.size() + 1);
      changes.subList(0, kept).forEach(change -> change.apply(durable));
      changes.clear();
      cached = new TreeMap<>(durable);
      cached.values().forEach(node -> node.losePower(simulation));
    }
  }
}

package io.takhin.storage.local;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileDiskTest {
  private static final int MIB = 1 << 20;

  @TempDir Path directory;

  @Test
  void whatNobodyReadIsNotInMemory() throws Exception {
    Path path = directory.resolve("segment");
    try (RandomAccessFile made = new RandomAccessFile(path.toFile(), "rw")) {
      made.setLength(8 * MIB); // a hole: no page is there until somebody reads it
    }
    try (Disk.File file = new FileDisk().open(path, false)) {
      assertFalse(file.inMemory(4 * MIB + 17, MIB));
      assertEquals(MIB + 1, file.read(ByteBuffer.allocate(MIB + 1), 4 * MIB));
      assertTrue(file.inMemory(4 * MIB + 17, MIB - 17));
      assertFalse(file.inMemory(7 * MIB, MIB), "far from what was read");
      assertFalse(file.inMemory(8 * MIB, MIB), "behind its end");
    }
  }
}

package io.takhin.protocol.kafka;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;

/// What the loops of this process have allocated so far.
final class LoopAllocation {
  private final Object bean;
  private final Method count;
  private final List<Thread> loops = new ArrayList<>();

  // By reflection: the module under test does not read java.management.
  LoopAllocation() {
    try {
      bean =
          Class.forName("java.lang.management.ManagementFactory")
              .getMethod("getThreadMXBean")
              .invoke(null);
      count =
          Class.forName("com.sun.management.ThreadMXBean")
              .getMethod("getThreadAllocatedBytes", long.class);
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
    for (Thread thread : Thread.getAllStackTraces().keySet()) {
      if (thread.getName().contains("loop")) {
        loops.add(thread);
      }
    }
  }

  long bytes() {
    try {
      long sum = 0;
      for (Thread thread : loops) {
        sum += Math.max(0, (long) count.invoke(bean, thread.threadId()));
      }
      return sum;
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }
}

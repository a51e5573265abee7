package io.takhin.coordinator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import org.junit.jupiter.api.Test;

class DeadlinesTest {
  private static final class Thing extends Deadlines.Armed {}

  private final Deadlines<Thing> deadlines = new Deadlines<>();
  private final Thing thing = new Thing();

  @Test
  void earlierLookReplacesALaterOne() {
    deadlines.arm(thing, 50);
    deadlines.arm(thing, 30);
    assertEquals(30, deadlines.nextMs());
    assertNull(deadlines.due(29));
    assertSame(thing, deadlines.due(30));
    assertNull(deadlines.due(60), "the look that was overtaken means nothing");
    assertEquals(Deadlines.NEVER, deadlines.nextMs());
  }

  @Test
  void laterLookIsNotQueuedWhileAnEarlierOneIs() {
    deadlines.arm(thing, 30);
    for (int i = 0; i < 100; i++) {
      deadlines.arm(thing, 31 + i);
    }
    assertEquals(1, deadlines.size());
    assertSame(thing, deadlines.due(30));
    deadlines.arm(thing, 40);
    assertSame(thing, deadlines.due(40));
  }
}

package io.takhin.coordinator.transaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class IdPatternTest {
  private static final Duration QUICK = Duration.ofSeconds(10);

  private static boolean matches(String pattern, String id) {
    return new IdPattern(pattern).matches(id);
  }

  private static void expression(Random random, boolean repeats, int depth, StringBuilder to) {
    for (int parts = random.nextInt(3) + (depth == 0 ? 1 : 0); parts > 0; parts--) {
      switch (random.nextInt(depth > 3 ? 6 : 8)) {
        case 0, 1 -> to.append((char) ('a' + random.nextInt(3)));
        case 2 -> to.append('.');
        case 3 ->
            to.append(
                List.of("[ab]", "[^a]", "[a-b.]", "\\d", "[\\w-]", "[^\\d]")
                    .get(random.nextInt(6)));
        case 4 -> to.append(List.of("\\.", "\\Qa.b\\E", "\\-", "-").get(random.nextInt(4)));
        case 5 -> to.append(List.of("^", "$", "(?:)", "()").get(random.nextInt(4)));
        default -> {
          to.append(random.nextBoolean() ? "(" : "(?:");
          expression(random, repeats, depth + 1, to);
          if (random.nextBoolean()) {
            to.append('|');
            expression(random, repeats, depth + 1, to);
          }
          to.append(')');
        }
      }
      char last = to.charAt(to.length() - 1);
      if ((repeats || last != ')') && "^$E".indexOf(last) < 0 && random.nextInt(3) == 0) {
        to.append(
            List.of("*", "+", "?", "{2}", "{1,}", "{0,2}", "*?", "+?", "{0}")
                .get(random.nextInt(9)));
      }
    }
  }

  /// The JDK's engine gives up some ways when a group that is repeated matches nothing: of
  /// expressions with such groups, what matches there must match here.
  @Test
  void meansWhatTheJdksExpressionsMean() {
    int matched = 0;
    for (int seed = 0; seed < 20_000; seed++) {
      Random random = new Random(seed);
      StringBuilder text = new StringBuilder();
      boolean repeats = seed % 2 == 0;
      expression(random, repeats, 0, text);
      IdPattern mine = new IdPattern(text.toString());
      Pattern known = Pattern.compile(text.toString());
      for (int i = 0; i < 10; i++) {
        StringBuilder id = new StringBuilder();
        for (int length = random.nextInt(7); length > 0; length--) {
          id.append("abc.-1".charAt(random.nextInt(6)));
        }
        boolean expected = known.matcher(id).matches();
        matched += expected ? 1 : 0;
        if (expected || !repeats) {
          assertEquals(expected, mine.matches(id.toString()), text + " on " + id);
        }
      }
    }
    assertTrue(matched > 5_000, matched + " matched");
  }

  @Test
  void understandsWhatIdsAreAskedForBy() {
    assertTrue(matches("(orders|payments)-.*", "payments-7"));
    assertTrue(matches("app\\.v[0-9]{1,3}", "app.v12"));
    assertFalse(matches("app\\.v[0-9]{1,3}", "app.v1234"));
    assertTrue(matches("(?<name>a)(?P<other>b){2,}", "abbb"));
    assertTrue(matches("a{b", "a{b"));
    assertTrue(matches("\\A.\\z", "\ud83d\ude00"));
    assertTrue(matches("[]a]+", "]a"));
  }

  @Test
  void whatIsNoExpressionIsRefused() {
    for (String text :
        List.of(
            "(",
            ")",
            "(a",
            "a)",
            "[",
            "[a",
            "[^",
            "*",
            "+a",
            "a**",
            "a{2}{3}",
            "a{2,1}",
            "a{1001}",
            "\\",
            "\\1",
            "\\pL",
            "(?=a)",
            "(?i)a",
            "(?<",
            "(?<>a)",
            "[b-a]",
            "[[:alpha:]]",
            "a|*")) {
      assertThrows(IllegalArgumentException.class, () -> new IdPattern(text), text);
    }
  }

  @Test
  void b14NoExpressionTakesLong() {
    String id = "a".repeat(30_000);
    for (String text :
        List.of(
            "(a|a)*b",
            "(a+)+b",
            "((a*)*)*b",
            "(|)".repeat(400) + "b",
            "(a?){500}b",
            "(x?|y?)".repeat(200) + "b",
            "((((a{1000}){1000}){1000}){1000})",
            "((((()){1000}){1000}){1000}){1000}",
            "(".repeat(32_000),
            "(".repeat(90) + ")*".repeat(90),
            "[" + "x-z".repeat(8_000) + "]{1000}",
            "(?:.?){900}")) {
      assertTimeoutPreemptively(
          QUICK,
          () -> {
            try {
              matches(text, id);
            } catch (IllegalArgumentException refused) {
              assertNotNull(refused.getMessage());
            }
          },
          text.substring(0, Math.min(40, text.length())));
    }
  }
}

package io.takhin.kernel.config;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/// Guesses what somebody meant to write.
final class Suggestions {
  private Suggestions() {}

  /// `; did you mean x?`, or nothing if nothing is near.
  static String didYouMean(String written, Collection<String> known) {
    String nearest = nearest(written, known);
    return nearest == null ? "" : "; did you mean " + nearest + "?";
  }

  /// The nearest of the known words within a third of the word's length, or null.
  static @Nullable String nearest(String written, Collection<String> known) {
    if (written.length() > 200) {
      return null;
    }
    String best = null;
    int bestDistance = Math.max(2, written.length() / 3) + 1;
    for (String candidate : known) {
      if (Math.abs(candidate.length() - written.length()) >= bestDistance) {
        continue;
      }
      int distance = distance(written, candidate);
      if (distance < bestDistance) {
        bestDistance = distance;
        best = candidate;
      }
    }
    return best;
  }

  /// Edits between two words, with swapped neighbours as one edit.
  static int distance(String a, String b) {
    int[] beforeLast = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      last[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        row[j] = Math.min(Math.min(row[j - 1], last[j]) + 1, last[j - 1] + change);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
        }
      }
      beforeLast = last;
      last = row;
    }
    return last[b.length()];
  }
}

package io.takhin.cluster.raft;

import org.jspecify.annotations.Nullable;

/// Which names a topic may have.
final class TopicNames {
  private static final int MAX_LENGTH = 249;

  private TopicNames() {}

  /// What is wrong with a name, or null.
  static @Nullable String check(String name) {
    if (name.isEmpty()) {
      return "Topic name is invalid: it is empty";
    }
    if (name.equals(".") || name.equals("..")) {
      return "Topic name is invalid: '" + name + "' is not allowed";
    }
    if (name.length() > MAX_LENGTH) {
      return "Topic name is invalid: %d characters, and at most %d are allowed"
          .formatted(name.length(), MAX_LENGTH);
    }
    for (int i = 0; i < name.length(); i++) {
      if (!isLegal(name.charAt(i))) {
        return "Topic name is invalid: '"
            + name
            + "' has characters other than ASCII letters and digits, '.', '_' and '-'";
      }
    }
    return null;
  }

  private static boolean isLegal(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || c == '.'
        || c == '_'
        || c == '-';
  }

  /// Whether the names differ only in '.' and '_', which metric names cannot keep apart.
  static boolean collide(String one, String other) {
    if (one.length() != other.length() || one.equals(other)) {
      return false;
    }
    for (int i = 0; i < one.length(); i++) {
      char a = one.charAt(i) == '.' ? '_' : one.charAt(i);
      char b = other.charAt(i) == '.' ? '_' : other.charAt(i);
      if (a != b) {
        return false;
      }
    }
    return true;
  }

  /// Whether a name could collide with another at all.
  static boolean mayCollide(String name) {
    return name.indexOf('.') >= 0 || name.indexOf('_') >= 0;
  }
}

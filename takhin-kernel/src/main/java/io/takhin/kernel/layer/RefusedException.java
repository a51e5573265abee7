package io.takhin.kernel.layer;

/// A plugin cannot be loaded; carries the reason and the remedy of a [Refusal].
public final class RefusedException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String remedy;

  /// What is wrong, and what to do; both without a full stop.
  public RefusedException(String reason, String remedy) {
    this(reason, remedy, null);
  }

  /// The same with what was thrown.
  public RefusedException(
      String reason, String remedy, @org.jspecify.annotations.Nullable Throwable cause) {
    super(reason, cause);
    this.remedy = remedy;
  }

  /// What went wrong.
  public String reason() {
    return String.valueOf(getMessage());
  }

  /// What to do about it.
  public String remedy() {
    return remedy;
  }
}

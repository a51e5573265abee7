package io.takhin.bench;

/// One measured number.
///
/// @param name case and quantity, such as `P1 produce 1 KiB: CPU`
/// @param unit such as `CPU-s/GiB`
/// @param value the number
/// @param higherIsBetter for throughput; costs and times are better when lower
/// @param goal what we hold ourselves to; NaN if there is nothing
/// @param absolute whether `goal` bounds Takhin's own number rather than its ratio to Kafka's
record Figure(
    String name, String unit, double value, boolean higherIsBetter, double goal, boolean absolute) {

  /// A cost whose ratio to Kafka's must not pass `goal`.
  static Figure cost(String name, String unit, double value, double goal) {
    return new Figure(name, unit, value, false, goal, false);
  }

  /// A cost that says more about the others; nothing is promised of it.
  static Figure cost(String name, String unit, double value) {
    return cost(name, unit, value, Double.NaN);
  }

  /// A rate whose ratio to Kafka's must reach `goal`.
  static Figure gain(String name, String unit, double value, double goal) {
    return new Figure(name, unit, value, true, goal, false);
  }

  /// A rate that says more about the others; nothing is promised of it.
  static Figure gain(String name, String unit, double value) {
    return gain(name, unit, value, Double.NaN);
  }

  /// A cost that must not pass `most` by itself, whatever Kafka's is.
  static Figure limit(String name, String unit, double value, double most) {
    return new Figure(name, unit, value, false, most, true);
  }
}

package io.takhin.bench;

/// One measured number.
///
/// @param name case and quantity, such as `P1 broker CPU`
/// @param unit such as `CPU-s/GiB`
/// @param value the number
/// @param higherIsBetter for throughput; costs and times are better when lower
/// @param goal the ratio Takhin to Kafka that we aim for; NaN if there is none
record Figure(String name, String unit, double value, boolean higherIsBetter, double goal) {
  static Figure cost(String name, String unit, double value, double goal) {
    return new Figure(name, unit, value, false, goal);
  }

  static Figure gain(String name, String unit, double value, double goal) {
    return new Figure(name, unit, value, true, goal);
  }
}

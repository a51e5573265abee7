package io.takhin.distribution.differential;

import java.util.ArrayList;
import java.util.List;

/// Two brokers' answers to one script.
///
/// @param script what was asked
/// @param kafka Kafka's answers, one a step
/// @param takhin Takhin's answers
/// @param unexpected the differences that are not in the list
record Comparison(
    Script script, List<Answer> kafka, List<Answer> takhin, List<Difference> unexpected) {
  static Comparison of(
      Script script, List<Answer> kafka, List<Answer> takhin, AcceptedDifferences accepted) {
    List<Difference> unexpected = new ArrayList<>();
    for (int i = 0; i < script.steps().size(); i++) {
      for (Difference difference :
          Difference.between(script.steps().get(i), kafka.get(i).shown(), takhin.get(i).shown())) {
        if (!accepted.covers(script, difference)) {
          unexpected.add(difference);
        }
      }
    }
    return new Comparison(script, kafka, takhin, unexpected);
  }

  /// Everything, for people.
  String report() {
    StringBuilder text = new StringBuilder("script " + script.name() + "\n");
    for (int i = 0; i < script.steps().size(); i++) {
      Step step = script.steps().get(i);
      text.append("  ").append(i).append("  ").append(step.title()).append('\n');
      String ofKafka = shown(kafka.get(i));
      String ofTakhin = shown(takhin.get(i));
      if (ofKafka.equals(ofTakhin)) {
        text.append("      both:   ").append(cut(ofKafka)).append('\n');
      } else {
        text.append("      Kafka:  ").append(cut(ofKafka)).append('\n');
        text.append("      Takhin: ").append(cut(ofTakhin)).append('\n');
      }
    }
    for (Difference difference : unexpected) {
      text.append("  differs: ").append(difference).append('\n');
    }
    return text.toString();
  }

  private static String shown(Answer answer) {
    return answer.told() == null ? answer.shown().toString() : answer.told().toString();
  }

  private static String cut(String text) {
    return text.length() > 1_500 ? text.substring(0, 1_500) + "..." : text;
  }
}

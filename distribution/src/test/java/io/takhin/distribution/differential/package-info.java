/// The same requests to Apache Kafka and to Takhin, and whether the answers are the same.
///
/// A [Script] is a list of requests to one broker, built from the message classes of Kafka's
/// client. [Runner] sends it and notes the answers in a form ([Normaliser]) that does not show what
/// differs by nature: ids, ports, the time. Kafka's answers to the [FixedScripts] are kept in files
/// ([Golden]); [RandomScripts] are asked of both brokers at once, and [Shrinker] makes a script
/// that is answered differently as small as it gets. What differs and shall differ is in one list,
/// [AcceptedDifferences], with reasons.
@NullMarked
package io.takhin.distribution.differential;

import org.jspecify.annotations.NullMarked;

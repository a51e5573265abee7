/// Stages 1 and 7 of 7, the hot half of the group protocol: heartbeats and offset commits, read in
/// place and answered into a pooled buffer, with the names of groups, members and topics kept per
/// loop. Never decides anything about a group: that is the coordinator's.
///
/// Threads: the connection's loop; outcomes of commits may come from any thread.
package io.takhin.protocol.kafka.groups;

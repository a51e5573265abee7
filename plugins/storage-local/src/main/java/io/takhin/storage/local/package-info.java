/// Stage 5 of 7, log: partitions as Kafka's segment files on a local disk.
///
/// Owns: files below the data directory; offsets; producer state; what is durable. Must never know
/// requests, groups, users or topics' configs as the wire has them; block a reader; hold a lock
/// across a write or fsync; show bytes that a crash may have torn.
///
/// Threads: appends run on the protocol's loops, in [LocalLog]'s combining gate; reads on any
/// thread, without locks; fsync before the acknowledgement on the threads of [Committer];
/// everything else ([Housekeeping]) on the kernel's workers.
///
/// Every file operation goes through [Disk], the seam for faults in tests.
package io.takhin.storage.local;

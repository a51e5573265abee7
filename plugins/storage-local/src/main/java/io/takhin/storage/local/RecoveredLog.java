package io.takhin.storage.local;

import java.nio.file.Path;
import java.util.List;

/// What recovery found of a log.
///
/// @param path its directory
/// @param segments at least one, in the order of offsets; the last one grows
/// @param epochs leader epochs
/// @param producers as of the end
/// @param logStartOffset first readable offset
/// @param logEndOffset next offset
/// @param highWatermark as the checkpoint has it
/// @param recoveryPoint below it all is known to be on disk
/// @param snapshotOffset of the newest producer snapshot; -1 for none
/// @param aborts whether it may have aborted transactions
/// @param fresh whether names may not be on disk: its directory was made just now, or not closed
record RecoveredLog(
    Path path,
    List<Segment> segments,
    LeaderEpochs epochs,
    ProducerStates producers,
    long logStartOffset,
    long logEndOffset,
    long highWatermark,
    long recoveryPoint,
    long snapshotOffset,
    boolean aborts,
    boolean fresh) {}

package io.takhin.coordinator.group;

import io.takhin.coordinator.ShardEffects;

/// What [GroupStateMachine] wants done: records to append and answers to give.
final class Effects extends ShardEffects<GroupRecord, Effects> {}

import io.takhin.api.group.GroupCoordinatorProvider;
import io.takhin.coordinator.group.ClassicGroupProvider;
import org.jspecify.annotations.NullMarked;

/// Stage 4' of 7, groups: the classic group protocol and committed offsets, as state machines whose
/// log is `__consumer_offsets`.
@NullMarked
module io.takhin.coordinator.group {
  requires io.takhin.api;
  requires io.takhin.coordinator;
  requires org.slf4j;

  provides GroupCoordinatorProvider with
      ClassicGroupProvider;
}

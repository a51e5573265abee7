import org.jspecify.annotations.NullMarked;

/// Stage 4' of 7, what coordinators share: the runtime under their state machines. A library that
/// each coordinator's plugin brings along, not a part of the contract: plugins of different
/// versions may use different versions of it.
@NullMarked
module io.takhin.coordinator {
  requires transitive io.takhin.api;
  requires org.slf4j;

  exports io.takhin.coordinator;
}

import io.takhin.api.transaction.TransactionCoordinatorProvider;
import io.takhin.coordinator.transaction.TransactionProvider;
import org.jspecify.annotations.NullMarked;

/// Stage 4' of 7, transactions: the coordinator of transactional ids, as state machines whose log
/// is `__transaction_state`.
@NullMarked
module io.takhin.coordinator.transaction {
  requires io.takhin.api;
  requires io.takhin.coordinator;
  requires org.slf4j;

  provides TransactionCoordinatorProvider with
      TransactionProvider;
}

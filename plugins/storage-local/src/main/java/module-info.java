import org.jspecify.annotations.NullMarked;

/// Stage 5 of 7, log: the log on local disks, in Kafka's layout.
@NullMarked
module io.takhin.storage.local {
  requires io.takhin.api;
  requires org.slf4j;

  provides io.takhin.api.storage.StorageProvider with
      io.takhin.storage.local.LocalStorageProvider;
}

import org.jspecify.annotations.NullMarked;

/// The example of the plugin author's guide. It needs nothing but the API, exports nothing and
/// opens nothing: the kernel finds the provider by the line below.
@NullMarked
module io.takhin.example.metrics.file {
  requires io.takhin.api;

  provides io.takhin.api.metrics.MetricsProvider with
      io.takhin.example.metrics.file.MetricsFileProvider;
}

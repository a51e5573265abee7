package io.takhin.api;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// How firm a public type of the API is. Every public type carries it; a test sees to that.
@Documented
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.TYPE)
@Api(status = Api.Status.STABLE, since = "0.1")
public @interface Api {
  /// What a plugin author may rely on.
  Status status();

  /// The first version of the API that had the type, such as `0.1`.
  String since();

  /// The promise behind a type.
  enum Status {
    /// Changes only with a new major version.
    STABLE,
    /// May change with a minor version, with a migration note.
    EVOLVING
  }
}

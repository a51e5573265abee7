package io.takhin.api.config;

import io.takhin.api.Api;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/// Binds a component of a config record to a key. Several plugins may declare the same key, if
/// type, default and bounds agree.
///
/// The environment variable of a key is `TAKHIN_` and the key in capitals with dots and dashes as
/// underscores: `storage.data.dir` is `TAKHIN_STORAGE_DATA_DIR`. Lists are comma-separated there.
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.RECORD_COMPONENT})
@Api(status = Api.Status.EVOLVING, since = "0.1")
public @interface Key {
  /// The dotted key in YAML, such as `storage.log.segment.size`.
  String value();

  /// The default as it would stand in YAML. Lists are comma-separated. Empty means an empty string
  /// or list; a number, boolean or enum then is required.
  ///
  /// It may refer to other keys: `${server.port}` stands for the value in force of that key, and
  /// `${takhin.home}` for the directory of the distribution. What users write is taken as it is.
  String defaultValue() default "";

  /// What it does, its unit, and what to think about when changing it: a sentence or two for the
  /// configuration reference.
  String doc();

  /// The smallest number allowed.
  long min() default Long.MIN_VALUE;

  /// The largest number allowed.
  long max() default Long.MAX_VALUE;

  /// The values allowed for a string, or for each element of a list; empty allows all.
  String[] oneOf() default {};

  /// Whether the value is hidden in logs, REST and the debug bundle.
  boolean secret() default false;
}

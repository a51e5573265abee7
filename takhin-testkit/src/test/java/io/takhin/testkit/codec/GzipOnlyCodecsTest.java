package io.takhin.testkit.codec;

import io.takhin.api.codec.Codecs;
import io.takhin.api.codec.CompressionType;
import java.util.EnumSet;
import java.util.Set;

class GzipOnlyCodecsTest extends CodecsContract {
  @Override
  protected Codecs create() {
    return new GzipOnlyCodecs();
  }

  @Override
  protected Set<CompressionType> supported() {
    return EnumSet.of(CompressionType.NONE, CompressionType.GZIP);
  }
}

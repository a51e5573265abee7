import org.jspecify.annotations.NullMarked;

/// Compression for record batches. The one layer that loads the compressors' native libraries; no
/// type of theirs leaves it.
@NullMarked
module io.takhin.codec.natives {
  requires io.takhin.api;
  requires com.github.luben.zstd_jni;
  requires org.lz4.java;
  requires org.slf4j;
  requires org.xerial.snappy;

  provides io.takhin.api.codec.CodecProvider with
      io.takhin.codec.natives.NativeCodecProvider;
}

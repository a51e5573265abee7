package io.takhin.kernel.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Properties;
import java.util.TreeSet;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import org.jspecify.annotations.Nullable;

/// `META-INF/takhin-plugin.properties`: what the kernel must know before it loads any class.
///
/// @param name unique among the plugins present: lower-case words joined by dashes
/// @param version the plugin's own
/// @param apiVersion the `major.minor` of takhin-api that it was compiled against
/// @param description one line for people
/// @param nativeAccess modules of the plugin that may call native code
public record PluginDescriptor(
    String name, String version, String apiVersion, String description, List<String> nativeAccess) {

  /// Where it lies in the plugin's jar.
  public static final String PATH = "META-INF/takhin-plugin.properties";

  /// The API that this kernel has.
  public static final String API_VERSION = "0.1";

  private static final int MAX_BYTES = 16 * 1024;
  private static final List<String> KEYS =
      List.of("name", "version", "api-version", "description", "native-access");

  /// The descriptor in a jar, or null if it has none.
  static @Nullable PluginDescriptor read(JarFile jar) throws IOException, RefusedException {
    JarEntry entry = jar.getJarEntry(PATH);
    if (entry == null) {
      return null;
    }
    byte[] bytes;
    try (InputStream in = jar.getInputStream(entry)) {
      bytes = in.readNBytes(MAX_BYTES + 1);
    }
    if (bytes.length > MAX_BYTES) {
      throw new RefusedException(
          "its descriptor is larger than " + MAX_BYTES + " bytes",
          "Keep " + PATH + " to the keys " + KEYS);
    }
    return parse(bytes);
  }

  /// Reads the text, strictly: a key that is not known is a mistake, not an extension.
  static PluginDescriptor parse(byte[] bytes) throws RefusedException {
    Properties properties = new Properties();
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      properties.load(new StringReader(text));
    } catch (CharacterCodingException | IllegalArgumentException e) {
      throw new RefusedException(
          "its descriptor is not UTF-8 properties text", "Mend " + PATH + " in its jar", e);
    } catch (IOException e) {
      throw new RefusedException("its descriptor cannot be read", "Mend its jar", e);
    }
    for (String key : new TreeSet<>(properties.stringPropertyNames())) {
      if (!KEYS.contains(key)) {
        throw new RefusedException(
            "its descriptor has the unknown key '" + key + "'",
            "The keys of " + PATH + " are " + String.join(", ", KEYS));
      }
    }
    String name = required(properties, "name");
    if (!name.matches("[a-z][a-z0-9]*(-[a-z0-9]+)*") || name.length() > 64) {
      throw new RefusedException(
          "its descriptor's name '" + name + "' is not lower-case words joined by dashes",
          "Choose a name like 'audit-file' in " + PATH);
    }
    return new PluginDescriptor(
        name,
        required(properties, "version"),
        required(properties, "api-version"),
        required(properties, "description"),
        Arrays.stream(properties.getProperty("native-access", "").split(",", -1))
            .map(String::strip)
            .filter(module -> !module.isEmpty())
            .toList());
  }

  private static String required(Properties properties, String key) throws RefusedException {
    String value = properties.getProperty(key, "").strip();
    if (value.isEmpty()) {
      throw new RefusedException(
          "its descriptor lacks the key '" + key + "'", "Add " + key + "= to " + PATH);
    }
    return value;
  }

  /// Before 1.0 each minor version may break plugins, so it must be the same; later the major must
  /// be the same and the minor not newer than the kernel's.
  void checkApi() throws RefusedException {
    if (!apiVersion.matches("\\d{1,4}\\.\\d{1,4}")) {
      throw new RefusedException(
          "its api-version '" + apiVersion + "' is not major.minor",
          "Write the version of takhin-api that it was compiled against, such as " + API_VERSION);
    }
    int[] mine = parts(API_VERSION);
    int[] its = parts(apiVersion);
    boolean fits = its[0] == mine[0] && (mine[0] == 0 ? its[1] == mine[1] : its[1] <= mine[1]);
    if (!fits) {
      throw new RefusedException(
          "it was made for API " + apiVersion + ", and this is API " + API_VERSION,
          "Get the build of "
              + name
              + " for API "
              + API_VERSION
              + ", or compile it against that takhin-api and write api-version="
              + API_VERSION);
    }
  }

  private static int[] parts(String version) {
    int dot = version.indexOf('.');
    return new int[] {
      Integer.parseInt(version.substring(0, dot)), Integer.parseInt(version.substring(dot + 1))
    };
  }
}

package io.takhin.kernel.config;

import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.composer.Composer;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;
import org.snakeyaml.engine.v2.parser.ParserImpl;
import org.snakeyaml.engine.v2.scanner.StreamReader;

/// Reads a YAML file into dotted keys. Nested maps and dotted keys mean the same, in any mixture:
/// `storage: {data: {dir: x}}`, `storage: {data.dir: x}` and `storage.data.dir: x`.
///
/// The file is bounded before it is believed: its size, its depth, and the number of nodes that
/// are visited, aliases counted each time, so that a few lines cannot unfold into gigabytes.
final class YamlSource {
  private static final int MAX_FILE_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 20;
  private static final int MAX_NODES = 10_000;

  private final String fileName;
  private final Problems problems;
  private final Map<String, Sourced> values = new LinkedHashMap<>();
  private int nodes;

  private YamlSource(String fileName, Problems problems) {
    this.fileName = fileName;
    this.problems = problems;
  }

  /// The values of a file; what is wrong with it goes to the problems.
  static Map<String, Sourced> read(Path file, Problems problems) {
    YamlSource source = new YamlSource(file.toString(), problems);
    String text = source.text(file);
    if (text != null) {
      source.parse(text);
    }
    return source.values;
  }

  private @Nullable String text(Path file) {
    try {
      if (Files.size(file) > MAX_FILE_BYTES) {
        problems.add(fileName + ": is larger than " + MAX_FILE_BYTES + " bytes");
        return null;
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      problems.add(fileName + ": there is no such file; -config names the configuration file");
    } catch (AccessDeniedException e) {
      problems.add(fileName + ": may not be read by this user; check its permissions");
    } catch (MalformedInputException e) {
      problems.add(fileName + ": is not UTF-8 text");
    } catch (IOException e) {
      problems.add(fileName + ": cannot be read: " + e.getMessage());
    }
    return null;
  }

  private void parse(String text) {
    try {
      LoadSettings settings =
          LoadSettings.builder()
              .setLabel(fileName)
              .setCodePointLimit(MAX_FILE_BYTES)
              .setMaxAliasesForCollections(50)
              .build();
      Node root =
          new Composer(settings, new ParserImpl(settings, new StreamReader(settings, text)))
              .getSingleNode()
              .orElse(null);
      if (root == null || isNull(root)) {
        return;
      }
      if (root instanceof MappingNode map) {
        flatten("", map, 0);
        if (nodes > MAX_NODES) {
          values.clear(); // not a configuration: ten thousand unknown keys help nobody
        }
      } else {
        problems.add(at(root) + ": the file must hold keys, such as 'server:'");
      }
    } catch (MarkedYamlEngineException e) {
      String where =
          e.getProblemMark().map(mark -> fileName + ":" + (mark.getLine() + 1)).orElse(fileName);
      problems.add(where + ": is not YAML: " + oneLine(e.getProblem()));
    } catch (YamlEngineException e) {
      problems.add(fileName + ": is not YAML: " + oneLine(String.valueOf(e.getMessage())));
    } catch (StackOverflowError e) {
      problems.add(fileName + ": is nested deeper than " + MAX_DEPTH + " levels");
    }
  }

  private void flatten(String prefix, MappingNode map, int depth) {
    if (depth > MAX_DEPTH) {
      tooLarge(map, "is nested deeper than " + MAX_DEPTH + " levels");
      return;
    }
    for (NodeTuple entry : map.getValue()) {
      if (++nodes > MAX_NODES) {
        tooLarge(map, "has more than " + MAX_NODES + " values, aliases counted each time");
        return;
      }
      if (!(entry.getKeyNode() instanceof ScalarNode name)) {
        problems.add(at(entry.getKeyNode()) + ": a key must be plain text");
        continue;
      }
      String key = prefix + name.getValue().strip();
      switch (entry.getValueNode()) {
        case MappingNode inner -> flatten(key + ".", inner, depth + 1);
        case SequenceNode sequence -> sequence(key, name, sequence);
        case ScalarNode scalar when isNull(scalar) -> {
          // "key:" without a value means the default, as if the line were not there.
        }
        case ScalarNode scalar ->
            put(key, new Sourced(List.of(scalar.getValue()), false, at(name)));
        default -> problems.add(at(name) + ": " + key + " has a value of an unknown kind");
      }
    }
  }

  private void sequence(String key, Node name, SequenceNode sequence) {
    List<String> items = new ArrayList<>();
    for (Node item : sequence.getValue()) {
      if (++nodes > MAX_NODES) {
        tooLarge(sequence, "has more than " + MAX_NODES + " values, aliases counted each time");
        return;
      }
      if (item instanceof ScalarNode scalar && !isNull(scalar)) {
        items.add(scalar.getValue());
      } else {
        problems.add(at(item) + ": " + key + " must be a list of plain values");
        return;
      }
    }
    put(key, new Sourced(List.copyOf(items), true, at(name)));
  }

  private void put(String key, Sourced value) {
    Sourced before = values.putIfAbsent(key, value);
    if (before != null) {
      problems.add(value.origin() + ": " + key + " is set twice; first at " + before.origin());
    }
  }

  private void tooLarge(Node node, String what) {
    if (nodes <= MAX_NODES + 1) {
      nodes = MAX_NODES + 2; // reported once
      problems.add(at(node) + ": the file " + what);
    }
  }

  private static boolean isNull(Node node) {
    return node instanceof ScalarNode scalar && scalar.getTag().equals(Tag.NULL);
  }

  private String at(Node node) {
    return node.getStartMark().map(mark -> fileName + ":" + (mark.getLine() + 1)).orElse(fileName);
  }

  private static String oneLine(String text) {
    return text.replaceAll("\\s+", " ").strip();
  }
}

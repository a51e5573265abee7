import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// Names of jars on standard input become lines with coordinates and licences: run by
/// third-party.sh. The argument is the local Maven repository.
void main(String[] args) throws IOException {
  Path repository = Path.of(args[0]);
  List<String> names = new ArrayList<>();
  String line;
  while ((line = IO.readln()) != null) {
    names.add(line.strip());
  }
  Map<String, Path> jars = new LinkedHashMap<>();
  try (Stream<Path> files = Files.walk(repository)) {
    files
        .filter(file -> file.toString().endsWith(".jar"))
        .forEach(file -> jars.putIfAbsent(file.getFileName().toString(), file));
  }
  IO.println("Libraries of others in this distribution, and their licences as their projects declare them.");
  IO.println("Each jar carries its licence and notices below META-INF where its project puts them.");
  IO.println("takhin-cluster-raft-ratis is Apache Ratis 3.3.0 with ratis-thirdparty-misc 1.1.0 (gRPC, protobuf, Netty,");
  IO.println("Guava, relocated by its project), unpacked into one module: Apache License, Version 2.0; notices inside.");
  IO.println("");
  for (String name : names) {
    Path jar = jars.get(name);
    if (jar == null) {
      throw new IllegalStateException(name + " is not in " + repository);
    }
    Path version = jar.getParent();
    Path artifact = version.getParent();
    String group =
        repository.relativize(artifact.getParent()).toString().replace('/', '.');
    Path pom = version.resolve(artifact.getFileName() + "-" + version.getFileName() + ".pom");
    IO.println(
        String.format(
            "%-62s %s:%s  %s",
            name, group, artifact.getFileName(), String.join(" or ", licences(repository, pom, 0))));
  }
}

List<String> licences(Path repository, Path pom, int depth) throws IOException {
  String text = Files.readString(pom).replaceAll("(?s)<!--.*?-->", "");
  Matcher block = Pattern.compile("(?s)<licenses>(.*?)</licenses>").matcher(text);
  if (block.find()) {
    List<String> found = new ArrayList<>();
    Matcher name = Pattern.compile("(?s)<name>\\s*(.*?)\\s*</name>").matcher(block.group(1));
    while (name.find()) {
      found.add(name.group(1).replaceAll("\\s+", " "));
    }
    return found;
  }
  Matcher parent = Pattern.compile("(?s)<parent>(.*?)</parent>").matcher(text);
  if (!parent.find() || depth > 8) {
    throw new IllegalStateException("no licence in " + pom);
  }
  String group = element(parent.group(1), "groupId");
  String artifact = element(parent.group(1), "artifactId");
  String version = element(parent.group(1), "version");
  return licences(
      repository,
      repository
          .resolve(group.replace('.', '/'))
          .resolve(artifact)
          .resolve(version)
          .resolve(artifact + "-" + version + ".pom"),
      depth + 1);
}

String element(String xml, String name) {
  Matcher found = Pattern.compile("<" + name + ">\\s*(.*?)\\s*</" + name + ">").matcher(xml);
  if (!found.find()) {
    throw new IllegalStateException("no " + name + " in " + xml);
  }
  return found.group(1);
}

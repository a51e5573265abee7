package io.takhin.kernel.layer;

import io.takhin.api.Provider;
import java.io.IOException;
import java.lang.module.Configuration;
import java.lang.module.FindException;
import java.lang.module.ModuleFinder;
import java.lang.module.ModuleReference;
import java.lang.module.ResolutionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A plugin's own module layer: its jars over the boot layer, in one class loader.
///
/// Resolution is parent first: a module that the boot layer has always wins, silently. That is why
/// a directory that brings one of those is refused instead of being half used. Every module found
/// is a root, because modules that are only looked up as services would otherwise stay out.
public final class PluginLayer {
  private static final Pattern MISSING =
      Pattern.compile("Module (\\S+) not found(?:, required by (\\S+))?");
  private static final int MAX_JARS = 500;

  private final ModuleLayer layer;
  private final ModuleLayer.Controller controller;
  private final Set<String> modules;

  private PluginLayer(ModuleLayer.Controller controller, Set<String> modules) {
    this.controller = controller;
    this.layer = controller.layer();
    this.modules = modules;
  }

  /// The jars of a plugin: of a directory, or the one drop-in jar.
  static List<Path> jars(Path location) throws IOException, RefusedException {
    if (!Files.isDirectory(location)) {
      return List.of(location);
    }
    try (Stream<Path> files = Files.list(location)) {
      List<Path> jars =
          files
              .filter(file -> file.getFileName().toString().endsWith(".jar"))
              .sorted()
              .limit(MAX_JARS + 1L)
              .toList();
      if (jars.isEmpty()) {
        throw new RefusedException(
            "its directory has no jar", "Put the plugin's jars there, or remove the directory");
      }
      if (jars.size() > MAX_JARS) {
        throw new RefusedException(
            "its directory has more than " + MAX_JARS + " jars", "Remove what it does not need");
      }
      return jars;
    }
  }

  /// The descriptor, which exactly one of the jars must have.
  static PluginDescriptor descriptor(List<Path> jars, OpenJars open) throws RefusedException {
    PluginDescriptor found = null;
    Path where = null;
    for (Path path : jars) {
      try {
        PluginDescriptor descriptor = PluginDescriptor.read(open.open(path));
        if (descriptor != null && found != null) {
          throw new RefusedException(
              "both " + where + " and " + path.getFileName() + " have a descriptor",
              "Give each plugin a directory of its own");
        }
        if (descriptor != null) {
          found = descriptor;
          where = path.getFileName();
        }
      } catch (IOException e) {
        throw new RefusedException(
            path.getFileName() + " is not a jar that can be read (" + e.getMessage() + ")",
            "Copy the jar again, or remove it",
            e);
      }
    }
    if (found == null) {
      throw new RefusedException(
          "none of its jars has a descriptor",
          "A plugin's jar has "
              + PluginDescriptor.PATH
              + " with name, version, api-version and description; if this is a library, move it"
              + " into the directory of the plugin that needs it");
    }
    return found;
  }

  /// Builds the layer.
  static PluginLayer build(PluginDescriptor descriptor, List<Path> jars) throws RefusedException {
    ModuleFinder finder = ModuleFinder.of(jars.toArray(Path[]::new));
    Set<String> modules = new TreeSet<>();
    try {
      Set<ModuleReference> found = finder.findAll();
      for (ModuleReference reference : found) {
        checkAgainstParent(reference);
        modules.add(reference.descriptor().name());
      }
      if (found.size() < jars.size()) {
        throw new RefusedException(
            "two of its jars are the same module", "Remove one of them from its directory");
      }
      Configuration configuration =
          ModuleLayer.boot().configuration().resolveAndBind(finder, ModuleFinder.of(), modules);
      ModuleLayer.Controller controller =
          ModuleLayer.defineModulesWithOneLoader(
              configuration, List.of(ModuleLayer.boot()), PluginLayer.class.getClassLoader());
      PluginLayer made = new PluginLayer(controller, Set.copyOf(modules));
      made.grantNativeAccess(descriptor);
      return made;
    } catch (FindException e) {
      throw notFound(e);
    } catch (ResolutionException | LayerInstantiationException e) {
      throw new RefusedException(
          "its modules do not fit together: " + e.getMessage(),
          "A package may be in one module only: merge the jars that share it, or leave one out",
          e);
    }
  }

  private static void checkAgainstParent(ModuleReference reference) throws RefusedException {
    String name = reference.descriptor().name();
    String jar =
        reference.location().map(uri -> String.valueOf(Path.of(uri).getFileName())).orElse(name);
    if (ModuleLayer.boot().findModule(name).isPresent()) {
      throw new RefusedException(
          jar + " brings the module " + name + ", which the kernel or the JDK already has",
          "Remove "
              + jar
              + " from the plugin; with Maven give that dependency the scope 'provided'");
    }
    for (String taken : reference.descriptor().packages()) {
      if (taken.equals("io.takhin.api") || taken.startsWith("io.takhin.api.")) {
        throw new RefusedException(
            jar + " bundles takhin-api's package " + taken,
            "Build it without shading takhin-api; with Maven give it the scope 'provided'");
      }
    }
  }

  private static RefusedException notFound(FindException e) {
    String message = String.valueOf(e.getMessage());
    Matcher missing = MISSING.matcher(message);
    if (missing.find()) {
      String name = missing.group(1);
      boolean ofJdk =
          name.startsWith("java.")
              || name.startsWith("jdk.")
              || ModuleFinder.ofSystem().find(name).isPresent();
      String by = missing.group(2) == null ? "" : ", which " + missing.group(2) + " requires";
      if (ofJdk) {
        return new RefusedException(
            "the JDK module " + name + by + ", is not in this run-time image",
            "Run on a full JDK and start Java with --add-modules ALL-SYSTEM, as bin/takhin.sh does",
            e);
      }
      return new RefusedException(
          "the module " + name + by + ", is missing",
          "Put the jar of " + name + " into the plugin's directory",
          e);
    }
    return new RefusedException(
        "its jars cannot be read as modules: " + message,
        "Mend or remove the jar that the message names",
        e);
  }

  @SuppressWarnings("restricted") // the kernel alone is started with --enable-native-access
  private void grantNativeAccess(PluginDescriptor descriptor) throws RefusedException {
    for (String name : descriptor.nativeAccess()) {
      if (!modules.contains(name)) {
        throw new RefusedException(
            "its descriptor asks native access for " + name + ", which is not among its modules",
            "Its modules are " + String.join(", ", new TreeSet<>(modules)));
      }
      // The command line cannot grant this: it does not know modules outside the boot layer.
      controller.enableNativeAccess(layer.findModule(name).orElseThrow());
    }
  }

  /// Lets the kernel see inside the package of a config record; plugin authors open nothing.
  public void openToKernel(Class<?> type) {
    if (type.getModule().getLayer() == layer) {
      controller.addOpens(type.getModule(), type.getPackageName(), PluginLayer.class.getModule());
    }
  }

  /// Whether a class lives here, and not in the boot layer or another plugin's.
  public boolean owns(Class<?> type) {
    return type.getModule().getLayer() == layer;
  }

  /// The layer itself.
  public ModuleLayer layer() {
    return layer;
  }

  /// The one loader of all its modules.
  public ClassLoader loader() {
    return layer.findLoader(modules.iterator().next());
  }

  /// The names of its modules.
  public Set<String> modules() {
    return modules;
  }

  /// What a linkage error or the like in a plugin's code means for the person who installed it.
  public static String remedyFor(Throwable thrown) {
    @Nullable Throwable cause = thrown;
    for (int depth = 0; cause != null && depth < 10; depth++, cause = cause.getCause()) {
      if (cause instanceof NoClassDefFoundError || cause instanceof ClassNotFoundException) {
        return "A library is missing: put the jar that has "
            + String.valueOf(cause.getMessage()).replace('/', '.')
            + " into the plugin's directory";
      }
      if (cause instanceof IllegalCallerException) {
        return "It calls native code without leave: add native-access=<its module> to "
            + PluginDescriptor.PATH;
      }
      if (cause instanceof UnsatisfiedLinkError) {
        return "Its native library does not suit this system: check the plugin's platforms";
      }
      if (cause instanceof LinkageError) {
        return "It was compiled against other versions than those present: compile it against"
            + " takhin-api "
            + PluginDescriptor.API_VERSION
            + " and the jars in its directory";
      }
    }
    return "This is a defect of the plugin: report it to its author with the log";
  }

  /// The providers of one kind that this layer itself has. ServiceLoader also yields those of the
  /// parents, which are not this plugin's.
  ///
  /// @param loader ServiceLoader of the caller, whose module must declare `uses`
  public List<Provider<?, ?>> own(ServiceLoader<?> loader) throws RefusedException {
    List<Provider<?, ?>> own = new ArrayList<>();
    try {
      for (ServiceLoader.Provider<?> candidate : loader.stream().toList()) {
        if (owns(candidate.type()) && candidate.get() instanceof Provider<?, ?> provider) {
          own.add(provider);
        }
      }
    } catch (ServiceConfigurationError | LinkageError e) {
      Throwable cause = e.getCause() == null ? e : e.getCause();
      throw new RefusedException(
          "its provider cannot be made: " + e.getMessage(), remedyFor(cause), e);
    }
    return own;
  }
}

package io.takhin.kernel.layer;

import java.nio.file.Path;

/// Why a plugin does not run, for the person who put it there.
///
/// @param plugin its name, or the file name if it has no readable descriptor
/// @param location the directory or jar
/// @param reason what is wrong
/// @param remedy what to do; empty if the reason says it, as a TakhinException's message does
public record Refusal(String plugin, Path location, String reason, String remedy) {
  /// In one line.
  public String line() {
    if (remedy.isEmpty()) {
      return "plugin " + plugin + " cannot start: " + reason;
    }
    return "plugin " + plugin + " (" + location + ") is refused: " + reason + ". " + remedy + ".";
  }
}

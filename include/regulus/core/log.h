#pragma once

#include <fmt/format.h>

#include <string>

namespace regulus::log {

/// Where and how much to log; the same on every rank.
struct Settings {
  std::string level = "info";  ///< debug, info, warning, error or off
  std::string file;            ///< also append to this file (rank 0 only); empty for none
  int rank = 0;
  int size = 1;
};

/// Configures the process-wide logger (spdlog, standard error). Call once after MPI starts.
/// \throws OptionError on an unknown level; StorageError if the log file cannot be opened
void configure(const Settings& settings);

void debug(const std::string& text);    ///< rank 0 only
void info(const std::string& text);     ///< rank 0 only
void warning(const std::string& text);  ///< any rank, prefixed [r3/16]
/// Rank 0 only: of what every rank finds alike.
void common_warning(const std::string& text);
void error(const std::string& text);  ///< any rank, prefixed [r3/16]

/// The one message of a failed run, as it stands: on standard error whatever the level, and in the log file.
void failure(const std::string& text);

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  info(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  warning(fmt::format(format, std::forward<Args>(args)...));
}

template <typename... Args>
void common_warning(fmt::format_string<Args...> format, Args&&... args) {
  common_warning(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace regulus::log

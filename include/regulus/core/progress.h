#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace regulus {

/// Progress of long work with rate and ETA: a bar on a terminal, a log line per interval otherwise. Silent
/// unless `enabled` (rank 0 with --progress). Not collective.
class Progress {
 public:
  /// \param total  units of work, in the same unit as advance(); \param unit e.g. "passes"
  Progress(std::string task, std::int64_t total, std::string unit, bool enabled);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void advance(std::int64_t units, const std::string& note = {});

 private:
  using Clock = std::chrono::steady_clock;
  void show(const std::string& note);

  std::string task_;
  std::int64_t total_;
  std::string unit_;
  bool enabled_;
  bool terminal_;
  std::int64_t done_ = 0;
  Clock::time_point start_;
  Clock::time_point last_shown_;
};

}  // namespace regulus

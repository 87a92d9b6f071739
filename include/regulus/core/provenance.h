#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace regulus {

std::string version();       ///< of regulus, "0.1.0"
std::string git_revision();  ///< of the sources built, or "unknown"

/// Where an output came from: version, revision, options, seed, inputs' SHA-256, ranks, threads, hosts, and
/// the wall time of each phase. Written into every output as JSON. Only its `phases`, `ranks` and `hosts` may
/// differ between two runs of the same job.
class Provenance {
 public:
  Provenance() = default;
  /// \param options every option of the run with its value, defaults included
  Provenance(std::string command, nlohmann::json options);

  void set_layout(int ranks, int threads_per_rank, int hosts);
  /// Records the SHA-256 of an input file (or of every file of a folder, by name). Reads the file: rank 0
  /// only.
  void add_input(const std::filesystem::path& path);
  /// Of an input file that was added. \throws nlohmann::json::out_of_range if it was not
  std::string input_sha256(const std::filesystem::path& path) const;

  /// Where the time of every rank went, into `phases`.
  void set_rank_seconds(nlohmann::json seconds);

  std::string command() const;

  /// Starts a phase and ends the one before; its wall time lands in `phases`.
  void start_phase(const std::string& name);
  void end_phase();

  nlohmann::json to_json() const;

 private:
  using Clock = std::chrono::steady_clock;
  nlohmann::json fields_ = nlohmann::json::object();
  nlohmann::json phases_ = nlohmann::json::object();
  std::string phase_;
  Clock::time_point phase_start_{};
};

}  // namespace regulus

#include "regulus/core/provenance.h"

#include <set>

#include "regulus/core/sha256.h"

namespace regulus {

std::string version() {
  return REGULUS_VERSION;
}

std::string git_revision() {
  return REGULUS_GIT_REVISION;
}

Provenance::Provenance(std::string command, nlohmann::json options) {
  fields_["program"] = "regulus";
  fields_["version"] = version();
  fields_["git_revision"] = git_revision();
  fields_["command"] = std::move(command);
  fields_["options"] = std::move(options);
  fields_["inputs"] = nlohmann::json::object();
}

void Provenance::set_layout(int ranks, int threads_per_rank, int hosts) {
  fields_["ranks"] = ranks;
  fields_["threads_per_rank"] = threads_per_rank;
  fields_["hosts"] = hosts;
}

void Provenance::add_input(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) {
    fields_["inputs"][path.string()] = sha256_file(path);
    return;
  }
  std::set<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.is_regular_file()) files.insert(entry.path());
  for (const auto& file : files) fields_["inputs"][file.string()] = sha256_file(file);
}

std::string Provenance::input_sha256(const std::filesystem::path& path) const {
  return fields_.at("inputs").at(path.string()).get<std::string>();
}

void Provenance::set_rank_seconds(nlohmann::json seconds) {
  phases_["ranks"] = std::move(seconds);
}

std::string Provenance::command() const {
  return fields_.at("command").get<std::string>();
}

void Provenance::start_phase(const std::string& name) {
  end_phase();
  phase_ = name;
  phase_start_ = Clock::now();
}

void Provenance::end_phase() {
  if (phase_.empty()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - phase_start_).count();
  phases_[phase_] = phases_.value(phase_, 0.0) + seconds;
  phase_.clear();
}

nlohmann::json Provenance::to_json() const {
  nlohmann::json json = fields_;
  json["phases"] = phases_;
  return json;
}

}  // namespace regulus

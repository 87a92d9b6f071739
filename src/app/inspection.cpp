#include "inspection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>

#include "regulus/core/error.h"

namespace regulus::app {

namespace {

constexpr std::string_view kHdf5Signature = "\x89HDF\r\n\x1a\n";

std::string first_bytes(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<char, kHdf5Signature.size()> bytes{};
  stream.read(bytes.data(), bytes.size());
  if (!stream.is_open()) throw InputError("cannot be read", file.string());
  if (stream.gcount() == 0) throw InputError("is empty", file.string());
  return {bytes.data(), static_cast<std::size_t>(stream.gcount())};
}

std::string suffix_of(std::filesystem::path file) {
  if (file.extension() == ".gz") file.replace_extension();
  return file.extension().string();
}

double seconds_of(const nlohmann::json& provenance) {
  const auto phases = provenance.value("phases", nlohmann::json::object());
  double total = 0.0;
  for (const auto& [phase, seconds] : phases.items())
    if (seconds.is_number()) total += seconds.get<double>();
  return total;
}

std::string text_of(const nlohmann::json& json, const char* name) {
  if (!json.contains(name)) return "?";
  const auto& value = json.at(name);
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace

Inspection inspect_path(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) throw InputError("no such file or folder", path.string());
  if (std::filesystem::is_directory(path)) return inspect_model_folder(path);
  const std::string suffix = suffix_of(path);
  if (first_bytes(path) == kHdf5Signature) return inspect_hdf5(path);
  if (suffix == ".h5" || suffix == ".h5ad")
    throw InputError("is not an HDF5 file, or its start is damaged", path.string());
  if (suffix == ".safetensors") return inspect_safetensors(path);
  if (suffix == ".pt") return inspect_torch_checkpoint(path);
  if (suffix == ".json") return inspect_json(path);
  if (suffix == ".csv" || suffix == ".tsv" || suffix == ".txt") return inspect_table(path);
  throw InputError("is no kind of file that regulus reads or writes", path.string(),
                   "known are .h5, .h5ad, .safetensors, .pt, .json, .csv, .tsv, .txt and model folders");
}

void add_provenance(Inspection& inspection, const nlohmann::json& provenance) {
  if (!provenance.is_object() || !provenance.contains("command")) {
    inspection.facts.emplace_back("written by", "another program");
    return;
  }
  inspection.facts.emplace_back(
      "written by", fmt::format("regulus {} {} (revision {})", text_of(provenance, "command"),
                                text_of(provenance, "version"), text_of(provenance, "git_revision")));
  inspection.facts.emplace_back(
      "run", fmt::format("{} ranks x {} threads on {} hosts, {:.1f} s, seed {}", text_of(provenance, "ranks"),
                         text_of(provenance, "threads_per_rank"), text_of(provenance, "hosts"),
                         seconds_of(provenance),
                         text_of(provenance.value("options", nlohmann::json::object()), "seed")));
  const auto inputs = provenance.value("inputs", nlohmann::json::object());
  for (const auto& [file, sha256] : inputs.items())
    inspection.facts.emplace_back("input",
                                  fmt::format("{} (SHA-256 {:.12}…)", file, sha256.get<std::string>()));
}

std::string short_list(const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 4;
  std::string text = fmt::format("{}", items.size());
  if (items.empty()) return text;
  const std::size_t shown = std::min(kShown, items.size());
  text +=
      fmt::format(" ({}", fmt::join(items.begin(), items.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
  return text + (shown < items.size() ? ", …)" : ")");
}

}  // namespace regulus::app

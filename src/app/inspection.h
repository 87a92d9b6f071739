#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace regulus::app {

/// What `inspect` found out about one file.
struct Inspection {
  std::string kind;                                          ///< "feature store", "network" …
  std::vector<std::pair<std::string, std::string>> facts{};  ///< name and value, in the order to print
  std::string table{};                                       ///< printed below the facts; may be empty
  std::string unfinished{};                                  ///< why it is not whole; empty if it is
};

/// Recognises the file by its content and reads all of it.
/// \throws Error (exit code 3) if it is missing, unknown, truncated or damaged
Inspection inspect_path(const std::filesystem::path& path);

/// One reader per family of files; inspect_path() chooses.
Inspection inspect_hdf5(const std::filesystem::path& file);
Inspection inspect_model_folder(const std::filesystem::path& folder);
Inspection inspect_safetensors(const std::filesystem::path& file);
Inspection inspect_torch_checkpoint(const std::filesystem::path& file);
Inspection inspect_json(const std::filesystem::path& file);
Inspection inspect_table(const std::filesystem::path& file);  ///< .csv, .tsv, .txt, each also gzipped

/// Who wrote a file, and from what: one fact per line of interest.
void add_provenance(Inspection& inspection, const nlohmann::json& provenance);

/// "30 (A, B, C, …)": the length of a list and its first items.
std::string short_list(const std::vector<std::string>& items);

}  // namespace regulus::app

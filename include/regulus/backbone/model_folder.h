#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"
#include "regulus/data/vocabulary.h"

namespace regulus::backbone {

/// The files of a model folder, as read: small enough to be read once and broadcast.
struct ModelFiles {
  std::string folder;
  std::string args;              ///< args.json
  std::string vocabulary;        ///< vocab.json
  std::vector<char> checkpoint;  ///< model.safetensors
};

/// A frozen model: architecture, vocabulary and float32 weights.
struct Model {
  TransformerConfig config;
  data::Vocabulary vocabulary;
  StateDict weights;
  std::string checkpoint_sha256;
};

/// Reads args.json, vocab.json and model.safetensors.
/// \throws ModelError if the folder or one of the files is missing
ModelFiles read_model_files(const std::filesystem::path& folder);

/// \throws ModelError on anything wrong in the files, naming file and remedy
Model parse_model(const ModelFiles& files);

/// read_model_files() and parse_model(). \collective no
Model load_model(const std::filesystem::path& folder);

/// Writes args.json, vocab.json and model.safetensors (weights last, each file atomically). \collective no
/// \param provenance stored in args.json under "provenance"
/// \throws StorageError if a file cannot be written
void save_model(const std::filesystem::path& folder, const TransformerConfig& config,
                const data::Vocabulary& vocabulary, const StateDict& weights, const nlohmann::json& provenance);

}  // namespace regulus::backbone

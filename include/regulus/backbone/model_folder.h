#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "regulus/backbone/architecture.h"
#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"
#include "regulus/data/vocabulary.h"

namespace regulus::backbone {

/// A frozen model: architecture, vocabulary and float32 weights.
struct Model {
  TransformerConfig config;
  data::Vocabulary vocabulary;
  StateDict weights;
  std::string checkpoint_sha256;         ///< of the file with the weights
  std::filesystem::path checkpoint;      ///< that file
  Layout layout = Layout::ScGpt;         ///< whose key names it uses
  std::vector<std::string> unused_keys;  ///< its keys that no prediction needs
};

/// Reads args.json, vocab.json and the weights of a model folder: model.safetensors, else best_model.pt.
/// \param path the folder, or one of its checkpoints (.safetensors, .pt) \collective no
/// \throws ModelError if one is missing, malformed, or they do not belong together, naming file and remedy
Model load_model(const std::filesystem::path& path);

/// Writes args.json, vocab.json and, last, model.safetensors, each atomically. \collective no
/// \param provenance stored in args.json under "provenance"
/// \throws StorageError if a file cannot be written
void save_model(const std::filesystem::path& folder, const TransformerConfig& config,
                const data::Vocabulary& vocabulary, const StateDict& weights,
                const nlohmann::json& provenance);

}  // namespace regulus::backbone

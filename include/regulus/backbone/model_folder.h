#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"
#include "regulus/data/vocabulary.h"

namespace regulus::backbone {

/// A frozen model: architecture, vocabulary and float32 weights.
struct Model {
  TransformerConfig config;
  data::Vocabulary vocabulary;
  StateDict weights;
  std::string checkpoint_sha256;  ///< of model.safetensors
};

/// Reads args.json, vocab.json and model.safetensors of a model folder. \collective no
/// \throws ModelError if one is missing, malformed, or they do not belong together, naming file and remedy
Model load_model(const std::filesystem::path& folder);

/// Writes args.json, vocab.json and, last, model.safetensors, each atomically. \collective no
/// \param provenance stored in args.json under "provenance"
/// \throws StorageError if a file cannot be written
void save_model(const std::filesystem::path& folder, const TransformerConfig& config,
                const data::Vocabulary& vocabulary, const StateDict& weights,
                const nlohmann::json& provenance);

}  // namespace regulus::backbone

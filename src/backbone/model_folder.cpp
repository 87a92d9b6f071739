#include "regulus/backbone/model_folder.h"

#include <fmt/format.h>

#include "regulus/core/error.h"
#include "regulus/core/sha256.h"
#include "regulus/storage/safetensors.h"
#include "regulus/storage/text_file.h"

namespace regulus::backbone {

namespace {

constexpr const char* kArgs = "args.json";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kWeights = "model.safetensors";

void require_files(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder))
    throw ModelError("is not a folder", folder.string(),
                     "--model takes a folder with args.json, vocab.json and model.safetensors");
  for (const char* file : {kArgs, kVocabulary, kWeights})
    if (!std::filesystem::exists(folder / file))
      throw ModelError(fmt::format("has no {}", file), folder.string(),
                       "a model folder holds args.json, vocab.json and model.safetensors");
}

nlohmann::json read_args(const std::filesystem::path& file) {
  const std::string text = storage::read_text(file);
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& failure) {
    throw ModelError(fmt::format("is not valid JSON: {}", failure.what()), file.string());
  }
}

}  // namespace

Model load_model(const std::filesystem::path& folder) {
  require_files(folder);
  Model model;
  model.config = config_from_args(read_args(folder / kArgs), (folder / kArgs).string());
  model.vocabulary = data::Vocabulary::read(folder / kVocabulary);
  model.config.vocabulary = model.vocabulary.size();
  const auto checkpoint = folder / kWeights;
  model.weights =
      weights_from_tensors(storage::read_safetensors(checkpoint), model.config, checkpoint.string());
  model.checkpoint_sha256 = sha256_file(checkpoint);
  return model;
}

void save_model(const std::filesystem::path& folder, const TransformerConfig& config,
                const data::Vocabulary& vocabulary, const StateDict& weights,
                const nlohmann::json& provenance) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw StorageError(failure.message(), folder.string(), "choose a writable folder");
  nlohmann::json args = args_from_config(config);
  args["provenance"] = provenance;
  storage::write_text_atomically(folder / kArgs, args.dump(2) + "\n");
  vocabulary.write(folder / kVocabulary);
  storage::write_safetensors(folder / kWeights, tensors_from_weights(weights), {{"format", "pt"}});
}

}  // namespace regulus::backbone

#include "regulus/backbone/model_folder.h"

#include <fmt/format.h>

#include "regulus/core/error.h"
#include "regulus/core/sha256.h"
#include "regulus/storage/safetensors.h"
#include "regulus/storage/text_file.h"
#include "regulus/storage/torch_checkpoint.h"

namespace regulus::backbone {

namespace {

constexpr const char* kArgs = "args.json";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kSafetensors = "model.safetensors";
constexpr const char* kTorch = "best_model.pt";

[[noreturn]] void refuse_folder(const std::filesystem::path& folder, const std::string& what) {
  throw ModelError(what, folder.string(),
                   "a model folder holds args.json, vocab.json and model.safetensors or best_model.pt");
}

/// The file with the weights that `path` means.
std::filesystem::path find_checkpoint(const std::filesystem::path& path) {
  if (std::filesystem::is_regular_file(path)) return path;
  if (!std::filesystem::is_directory(path)) refuse_folder(path, "is neither a folder nor a file");
  for (const char* name : {kSafetensors, kTorch})
    if (std::filesystem::exists(path / name)) return path / name;
  refuse_folder(path, "has no model.safetensors and no best_model.pt");
}

Tensors read_tensors(const std::filesystem::path& checkpoint) {
  if (checkpoint.extension() == ".safetensors") return storage::read_safetensors(checkpoint);
  if (checkpoint.extension() == ".pt") return storage::read_torch_checkpoint(checkpoint);
  throw ModelError("is neither a .safetensors nor a .pt file", checkpoint.string(),
                   "give the model's folder, or its checkpoint");
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

Model load_model(const std::filesystem::path& path) {
  Model model;
  model.checkpoint = find_checkpoint(path);
  const auto folder = model.checkpoint.parent_path();
  for (const char* file : {kArgs, kVocabulary})
    if (!std::filesystem::exists(folder / file)) refuse_folder(folder, fmt::format("has no {}", file));
  model.config = config_from_args(read_args(folder / kArgs), (folder / kArgs).string());
  model.vocabulary = data::Vocabulary::read(folder / kVocabulary);
  model.config.vocabulary = model.vocabulary.size();
  const std::string where = model.checkpoint.string();
  NamedTensors tensors = canonical_names(read_tensors(model.checkpoint), where);
  infer_architecture(model.config, tensors, where);
  model.weights = weights_from_tensors(tensors.tensors, model.config, where);
  model.layout = tensors.layout;
  model.unused_keys = std::move(tensors.unused);
  model.checkpoint_sha256 = sha256_file(model.checkpoint);
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
  const Tensors tensors = tensors_from_weights(weights);
  storage::write_torch_checkpoint(folder / kTorch, tensors);
  storage::write_safetensors(folder / kSafetensors, tensors, {{"format", "pt"}});
}

}  // namespace regulus::backbone

#include <fmt/format.h>

#include "inspection.h"
#include "regulus/backbone/model_folder.h"
#include "regulus/core/error.h"
#include "regulus/storage/safetensors.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

std::int64_t element_count(const storage::TensorView& tensor) {
  std::int64_t count = 1;
  for (const auto extent : tensor.shape) count *= extent;
  return count;
}

Inspection inspect_interrupted(const std::filesystem::path& checkpoint) {
  Inspection result = inspect_safetensors(checkpoint);
  result.kind = "model folder";
  result.unfinished = "its training was interrupted: 'regulus pretrain --resume' goes on with it";
  return result;
}

}  // namespace

Inspection inspect_model_folder(const std::filesystem::path& folder) {
  const auto checkpoint = folder / "checkpoint.safetensors";
  if (std::filesystem::exists(checkpoint) && !std::filesystem::exists(folder / "model.safetensors"))
    return inspect_interrupted(checkpoint);
  const backbone::Model model = backbone::load_model(folder);
  const auto& config = model.config;
  std::int64_t parameters = 0;
  for (const auto& [name, weight] : model.weights) parameters += weight.numel();
  Inspection result{.kind = "model folder"};
  result.facts = {
      {"transformer", fmt::format("{} layers, width {}, {} heads, hidden {}", config.layers, config.width,
                                  config.heads, config.hidden)},
      {"vocabulary", fmt::format("{} tokens", config.vocabulary)},
      {"parameters", fmt::format("{} in {} tensors", parameters, model.weights.size())},
      {"longest panel", fmt::format("{}", config.input.max_panel)},
      {"largest input", config.input.value_max > 0.0 ? fmt::format("{:.6g}", config.input.value_max) : "not recorded"},
      {"checkpoint", model.checkpoint_sha256}};
  const auto args = nlohmann::json::parse(storage::read_text(folder / "args.json"));
  add_provenance(result, args.value("provenance", nlohmann::json()));
  return result;
}

Inspection inspect_safetensors(const std::filesystem::path& file) {
  const auto tensors = storage::read_safetensors(file);
  const auto metadata = storage::read_safetensors_metadata(file);
  const auto format = metadata.find("format");
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : tensors) elements += element_count(tensor);
  Inspection result{.kind = "tensors (safetensors)"};
  result.facts = {{"tensors", fmt::format("{}", tensors.size())}, {"elements", fmt::format("{}", elements)}};
  if (format != metadata.end()) result.facts.emplace_back("format", format->second);
  return result;
}

}  // namespace regulus::app

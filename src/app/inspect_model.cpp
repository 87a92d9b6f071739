#include <fmt/format.h>
#include <fmt/ranges.h>

#include "inspection.h"
#include "regulus/backbone/model_folder.h"
#include "regulus/backbone/torchscript.h"
#include "regulus/core/error.h"
#include "regulus/storage/safetensors.h"
#include "regulus/storage/text_file.h"
#include "regulus/storage/torch_checkpoint.h"

namespace regulus::app {

namespace {

std::int64_t element_count(const storage::TensorView& tensor) {
  std::int64_t count = 1;
  for (const auto extent : tensor.shape) count *= extent;
  return count;
}

/// Every key is read or, if no prediction needs it, named; any other key was an error.
std::string keys_of(const backbone::Model& model) {
  if (model.unused_keys.empty()) return "all used";
  return fmt::format("{} used; {} of no use to predictions: {}", model.weights.size(),
                     model.unused_keys.size(), short_list(model.unused_keys));
}

std::string value_range(const backbone::InputConvention& input) {
  if (input.bins > 0) return fmt::format("bins 0 to {} of each cell's quantiles", input.bins - 1);
  return input.value_max > 0.0 ? fmt::format("0 to {:.6g}", input.value_max) : "not recorded: give --grid";
}

Inspection describe_tensors(const std::string& kind, const backbone::Tensors& tensors) {
  std::int64_t elements = 0;
  for (const auto& [name, tensor] : tensors) elements += element_count(tensor);
  Inspection result{.kind = kind};
  result.facts = {{"tensors", fmt::format("{}", tensors.size())}, {"elements", fmt::format("{}", elements)}};
  return result;
}

/// The program in model.pt is not run.
Inspection inspect_scripted(const std::filesystem::path& folder) {
  const backbone::ScriptedModel model = backbone::read_scripted_model(folder);
  Inspection result{.kind = "model folder (TorchScript)"};
  result.facts = {{"use", "--model torchscript:" + folder.string()},
                  {"vocabulary", fmt::format("{} tokens", model.vocabulary.size())},
                  {"longest panel", fmt::format("{}", model.input.max_panel)},
                  {"input values", value_range(model.input)},
                  {"checkpoint", model.checkpoint_sha256}};
  return result;
}

bool is_scripted(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "model.pt") &&
         !std::filesystem::exists(folder / "model.safetensors") &&
         !std::filesystem::exists(folder / "best_model.pt");
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
  if (is_scripted(folder)) return inspect_scripted(folder);
  const backbone::Model model = backbone::load_model(folder);
  const auto& config = model.config;
  std::int64_t parameters = 0;
  for (const auto& [name, weight] : model.weights) parameters += weight.numel();
  Inspection result{.kind = "model folder"};
  result.facts = {
      {"architecture", fmt::format("{}: {}", backbone::to_string(model.layout),
                                   fmt::join(backbone::describe_architecture(config), ", "))},
      {"vocabulary", fmt::format("{} tokens", config.vocabulary)},
      {"parameters", fmt::format("{} in {} tensors", parameters, model.weights.size())},
      {"keys", keys_of(model)},
      {"longest panel", fmt::format("{}", config.input.max_panel)},
      {"input values", value_range(config.input)},
      {"<cls>", config.input.cls ? fmt::format("leads the panel, value {:g}", config.input.cls_value) : "no"},
      {"checkpoint", model.checkpoint_sha256}};
  const auto args = nlohmann::json::parse(storage::read_text(folder / "args.json"));
  add_provenance(result, args.value("provenance", nlohmann::json()));
  return result;
}

Inspection inspect_safetensors(const std::filesystem::path& file) {
  Inspection result = describe_tensors("tensors (safetensors)", storage::read_safetensors(file));
  const auto metadata = storage::read_safetensors_metadata(file);
  const auto format = metadata.find("format");
  if (format != metadata.end()) result.facts.emplace_back("format", format->second);
  return result;
}

Inspection inspect_torch_checkpoint(const std::filesystem::path& file) {
  return describe_tensors("tensors (PyTorch state dict)", storage::read_torch_checkpoint(file));
}

}  // namespace regulus::app

#include <fmt/format.h>

#include "regulus/backbone/config.h"
#include "regulus/backbone/torchscript.h"
#include "regulus/core/error.h"
#include "regulus/core/sha256.h"
#include "regulus/storage/text_file.h"

namespace regulus::backbone {

namespace {

constexpr const char* kModule = "model.pt";
constexpr const char* kVocabulary = "vocab.json";
constexpr const char* kArgs = "args.json";

[[noreturn]] void refuse_folder(const std::filesystem::path& folder, const std::string& what) {
  throw ModelError(what, folder.string(),
                   "a TorchScript model folder holds model.pt, vocab.json and, optionally, args.json");
}

InputConvention read_input(const std::filesystem::path& file) {
  if (!std::filesystem::exists(file)) return input_from_args(nlohmann::json::object(), file.string());
  try {
    return input_from_args(nlohmann::json::parse(storage::read_text(file)), file.string());
  } catch (const nlohmann::json::exception& failure) {
    throw ModelError(fmt::format("is not valid JSON: {}", failure.what()), file.string());
  }
}

}  // namespace

ScriptedModel read_scripted_model(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) refuse_folder(folder, "is not a folder");
  for (const char* file : {kModule, kVocabulary})
    if (!std::filesystem::is_regular_file(folder / file))
      refuse_folder(folder, fmt::format("has no {}", file));
  ScriptedModel model;
  model.where = (folder / kModule).string();
  model.vocabulary = data::Vocabulary::read(folder / kVocabulary);
  model.input = read_input(folder / kArgs);
  model.module_bytes = storage::read_text(folder / kModule);
  model.checkpoint_sha256 = sha256(model.module_bytes.data(), model.module_bytes.size());
  return model;
}

}  // namespace regulus::backbone

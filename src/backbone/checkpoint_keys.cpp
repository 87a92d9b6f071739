#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "regulus/backbone/architecture.h"
#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

struct Rename {
  const char* from;
  const char* to;
};

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0;
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// The packed attention projection has three names for the same matrix.
std::string scgpt_name(std::string key) {
  replace_all(key, ".self_attn._impl.", ".self_attn.");
  replace_all(key, ".self_attn.Wqkv.", ".self_attn.in_proj_");
  return key;
}

std::string scbenchmark_name(const std::string& key) {
  constexpr std::array<Rename, 7> kPrefixes{{{"embedding.", "encoder.embedding."},
                                             {"emb_trans.", "encoder.projection."},
                                             {"value_encoder.0.", "value_encoder.linear1."},
                                             {"value_encoder.2.", "value_encoder.linear2."},
                                             {"encoder.layers.", "transformer_encoder.layers."},
                                             {"decoder.", "decoder.fc."},
                                             {"gene2query.", "mvc_decoder.gene2query."}}};
  for (const Rename& prefix : kPrefixes)
    if (starts_with(key, prefix.from)) return prefix.to + key.substr(std::string(prefix.from).size());
  return key;
}

/// Keys that no prediction of expression needs.
bool is_unused(const std::string& key, Layout layout) {
  if (layout == Layout::ScBenchmark) return starts_with(key, "layer_norm.");
  if (ends_with(key, ".num_batches_tracked")) return true;
  for (const char* prefix : {"cls_decoder.", "flag_encoder.", "grad_reverse_discriminator."})
    if (starts_with(key, prefix)) return true;
  return false;
}

Layout layout_of(const Tensors& tensors) {
  const bool is_scbenchmark = tensors.count("embedding.weight") > 0 && tensors.count("decoder.0.weight") > 0;
  return is_scbenchmark ? Layout::ScBenchmark : Layout::ScGpt;
}

/// Wrappers for training on several devices put a prefix before every key.
void drop_common_prefix(Tensors& tensors) {
  constexpr const char* kPrefix = "module.";
  for (const auto& entry : tensors)
    if (!starts_with(entry.first, kPrefix)) return;
  Tensors renamed;
  for (auto& [key, tensor] : tensors)
    renamed.emplace(key.substr(std::string(kPrefix).size()), std::move(tensor));
  tensors = std::move(renamed);
}

void refuse_generators(const Tensors& tensors, const std::string& where) {
  for (const char* key : {"pert_encoder.weight", "decoder.coeff_decoder.fc.0.weight"})
    if (tensors.count(key) > 0)
      throw ModelError(fmt::format("is a perturbation model (it has {}), which is not supported", key), where,
                       "give the foundation model that it was fine-tuned from");
}

}  // namespace

std::string to_string(Layout layout) {
  return layout == Layout::ScGpt ? "scGPT" : "scBenchmark";
}

NamedTensors canonical_names(Tensors tensors, const std::string& where) {
  drop_common_prefix(tensors);
  refuse_generators(tensors, where);
  NamedTensors result{layout_of(tensors), {}, {}};
  for (auto& [key, tensor] : tensors) {
    if (is_unused(key, result.layout)) {
      result.unused.push_back(key);
      continue;
    }
    const std::string name = result.layout == Layout::ScGpt ? scgpt_name(key) : scbenchmark_name(key);
    if (!result.tensors.emplace(name, std::move(tensor)).second)
      throw ModelError(fmt::format("holds {} twice, once as '{}'", name, key), where,
                       "keep one of the two attention layouts");
  }
  return result;
}

}  // namespace regulus::backbone

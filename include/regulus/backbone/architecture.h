#pragma once

#include <map>
#include <string>
#include <vector>

#include "regulus/backbone/config.h"
#include "regulus/storage/safetensors.h"

namespace regulus::backbone {

using Tensors = std::map<std::string, storage::TensorView>;

/// Whose key names a checkpoint uses.
enum class Layout { ScGpt, ScBenchmark };

std::string to_string(Layout layout);

/// A checkpoint under the names that weight_specs() uses.
struct NamedTensors {
  Layout layout = Layout::ScGpt;
  Tensors tensors;
  std::vector<std::string>
      unused;  ///< keys, as the file has them, that no prediction needs: training heads …
};

/// Brings the key names of the known layouts to scGPT's: flash attention's `Wqkv.weight` and `_impl.` to
/// torch's `in_proj_weight`, scBenchmark's `embedding.weight`, `encoder.layers.*`, `decoder.0` … to scGPT's
/// modules. A key of no known layout keeps its name and is found out by weights_from_tensors().
/// \param where the file's name, for errors \throws ModelError if two keys become the same, or on a
/// fine-tuned generator (`pert_encoder`), which is another model
NamedTensors canonical_names(Tensors tensors, const std::string& where);

/// Completes a configuration by what only the checkpoint tells: the style of the values, batch norms and
/// labels, MVC decoder, widths. \param where the file's name, for errors
/// \throws ModelError if the keys are of no supported combination, naming them
void infer_architecture(TransformerConfig& config, const NamedTensors& checkpoint, const std::string& where);

/// The architecture in words, for people: "scGPT: 12 layers, width 512 …", an entry a feature.
std::vector<std::string> describe_architecture(const TransformerConfig& config);

}  // namespace regulus::backbone

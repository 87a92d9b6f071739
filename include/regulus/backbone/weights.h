#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "regulus/backbone/config.h"
#include "regulus/storage/safetensors.h"

namespace regulus::backbone {

/// Weights by scGPT's key names, contiguous CPU tensors of one floating type.
using StateDict = std::map<std::string, at::Tensor>;

/// Fresh float32 weights: scGPT's initialisation (embedding uniform ±0.1, linear layers Kaiming-uniform as
/// torch does, norms 1 and 0), each tensor from its own random stream.
StateDict random_weights(const TransformerConfig& config, std::uint64_t seed);

/// Weights of a checkpoint, under the names of canonical_names(), as float tensors, checked against the
/// architecture.
/// \param where the file's name, for errors
/// \throws ModelError that lists every missing, unexpected or wrongly shaped key, or names a tensor with NaN
/// or infinity
StateDict weights_from_tensors(const std::map<std::string, storage::TensorView>& tensors,
                               const TransformerConfig& config, const std::string& where);

/// The inverse: float32 tensors for a safetensors file.
std::map<std::string, storage::TensorView> tensors_from_weights(const StateDict& weights);

/// The same weights in another floating type (at::kFloat or at::kDouble).
StateDict convert(const StateDict& weights, at::ScalarType type);

}  // namespace regulus::backbone

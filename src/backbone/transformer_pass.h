#pragma once

#include <memory>

#include "transformer_weights.h"

namespace regulus::backbone {

/// The native passes over one panel as plain ATen operations, on the weights' device; tangents with
/// bfloat16 operands where the weights have them (with_bfloat16_tangents() of transformer_weights.h). What
/// comes in and goes out is on the CPU. \param gene_ids [L] \param background [L] \param targets whose
/// predictions are returned
std::unique_ptr<PanelPass> open_transformer_pass(std::shared_ptr<const TransformerWeights> weights,
                                                 const at::Tensor& gene_ids, const at::Tensor& background,
                                                 const PanelRange& targets);

/// Why predictions have no derivative by the values; empty if they have one.
std::string no_derivative(const TransformerWeights& weights);

}  // namespace regulus::backbone

#pragma once

#include <memory>

#include "encoder_steps.h"
#include "pass_memory.h"
#include "regulus/backbone/backbone.h"
#include "transformer_weights.h"

namespace regulus::backbone {

/// What a panel is opened with.
struct PanelInput {
  at::Tensor gene_ids;    ///< [L]
  at::Tensor background;  ///< [L], the weights' type
  PanelRange targets;     ///< whose predictions are wanted
  at::Tensor padding;     ///< [L] bool, true where a position is no key; undefined for none
};

/// The native passes on the CPU, in float32 or float64: states share the background's first layer except for
/// their own row, the last layer has only the wanted queries, and memory comes from the pool.
std::unique_ptr<PanelPass> open_streamed_pass(std::shared_ptr<const TransformerWeights> weights,
                                              std::shared_ptr<MemoryPool> pool, const PanelInput& input);

}  // namespace regulus::backbone

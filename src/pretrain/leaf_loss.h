#pragma once

#include <ATen/core/Tensor.h>

#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"
#include "regulus/pretrain/sampler.h"

namespace regulus::pretrain {

/// Sum of squared errors of the model at the masked positions of a leaf, differentiable in the weights.
at::Tensor squared_error(const backbone::TransformerConfig& config, const backbone::StateDict& weights,
                         const MaskedLeaf& leaf);

/// The same for the predictor that answers every gene's mean.
double baseline_squared_error(const MaskedLeaf& leaf);

}  // namespace regulus::pretrain

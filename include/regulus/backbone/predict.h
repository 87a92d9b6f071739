#pragma once

#include <ATen/core/Tensor.h>

#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"

namespace regulus::backbone {

/// 𝓜: the expression read-out of the transformer, as plain ATen operations, so that autograd and forward-mode
/// AD work. It is what pre-training differentiates and what the dual pass is tested against. \param gene_ids
/// [B, L] int64 token ids \param values       [B, L] input values, the weights' type \param padding_mask [B,
/// L] bool, true where a position may not be a key; undefined for none \return             [B, L] predicted
/// expression (positions under the mask hold numbers without meaning) \see scGPT (Cui et al. 2024): gene and
/// value encoders, post-norm encoder layers, ExprDecoder
at::Tensor predict(const TransformerConfig& config, const StateDict& weights, const at::Tensor& gene_ids,
                   const at::Tensor& values, const at::Tensor& padding_mask = {});

}  // namespace regulus::backbone

#pragma once

#include <ATen/core/Tensor.h>

#include "regulus/backbone/config.h"
#include "regulus/backbone/weights.h"

namespace regulus::backbone {

/// What the transformer is given.
struct ModelInput {
  at::Tensor gene_ids;      ///< [B, L] int64 token ids
  at::Tensor values;        ///< [B, L] input values, the weights' type
  at::Tensor padding_mask;  ///< [B, L] bool, true where a position may not be a key; undefined for none
  at::Tensor batch_labels;  ///< [B] int64; undefined for models that take none
};

/// Everything that the original code predicts; positions under the mask hold numbers without meaning.
struct Prediction {
  at::Tensor expression;                 ///< [B, L] expression decoder
  at::Tensor expressed_probability;      ///< [B, L] that a gene is not zero; undefined without such a head
  at::Tensor cell;                       ///< [B, d] the cell's embedding
  at::Tensor mvc;                        ///< [B, L] MVC decoder; undefined without one
  at::Tensor mvc_expressed_probability;  ///< [B, L]; undefined without such a head
};

/// The original model's forward pass as plain ATen operations, so that autograd and forward-mode AD work:
/// what the analytic passes are tested against. \see scGPT (Cui et al. 2024): gene and value encoders,
/// post-norm encoder layers, ExprDecoder, MVCDecoder; scBenchmark (Qi et al. 2025)
Prediction predict_all(const TransformerConfig& config, const StateDict& weights, const ModelInput& input);

/// Its expression decoder alone, which pre-training differentiates. \return [B, L]
at::Tensor predict(const TransformerConfig& config, const StateDict& weights, const at::Tensor& gene_ids,
                   const at::Tensor& values, const at::Tensor& padding_mask = {});

}  // namespace regulus::backbone

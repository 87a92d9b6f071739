#pragma once

#include <ATen/core/Tensor.h>

#include "regulus/translator/mlp_shape.h"

namespace regulus::translator {

/// \param parameters [shape.parameters()], float32 or float64
/// \param inputs     [n, shape.inputs()], of the same type
/// \return           logits [n]
at::Tensor forward(const MlpShape& shape, const at::Tensor& parameters, const at::Tensor& inputs);

struct LossGradient {
  double loss = 0.0;    ///< sum over pairs of weight * binary cross-entropy of the logit
  at::Tensor gradient;  ///< of `loss` by the parameters
};

/// Forward and closed-form backward pass.
/// \param labels, weights [n], of the parameters' type
LossGradient loss_and_gradient(const MlpShape& shape, const at::Tensor& parameters, const at::Tensor& inputs,
                               const at::Tensor& labels, const at::Tensor& weights);

/// The loss of loss_and_gradient alone.
double loss(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights);

}  // namespace regulus::translator

#pragma once

#include <ATen/core/Tensor.h>

namespace regulus::backbone {

/// Closed-form tangents of the layers, on stacked tensors: axis 0 is [primal] or [primal, tangent].

/// An affine layer. The weight's type is that of the product's operands and may be bfloat16 beside a float32
/// bias; the product, summed in float32, is then rounded to bfloat16 once.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]
};

/// A layer norm over the last axis, eps 1e-5.
struct LayerNorm {
  at::Tensor weight, bias;  ///< [d]
};

/// Statistics of a normalised primal: what its tangents need.
struct NormStatistics {
  at::Tensor normalised;  ///< x̂, before the affine part
  at::Tensor scale;       ///< 1/σ, last axis of size 1
};

/// y = W x + b, ẏ = W ẋ. \param x [P, …, in] with P = 1 or 2 parts \return of the bias's type
at::Tensor linear(const Linear& layer, const at::Tensor& x);

/// ẏ = W ẋ alone. \param tangent […, in] \return of the bias's type
at::Tensor linear_tangent(const Linear& layer, const at::Tensor& tangent);

/// The same two for what is an operand of the next product: of the weight's type.
at::Tensor operand(const Linear& layer, const at::Tensor& x);
at::Tensor operand_tangent(const Linear& layer, const at::Tensor& tangent);

/// max(x, slope·x), in place on both parts; slope 0 is ReLU. The tangent at 0 follows torch: slope·ẋ.
void rectify_(at::Tensor& x, double slope);

/// y = x̂∘w + b on part 0, ẏ = (ẋ − mean(ẋ) − x̂∘mean(x̂∘ẋ))/σ ∘ w on part 1.
at::Tensor layer_norm(const LayerNorm& layer, const at::Tensor& x);

NormStatistics norm_statistics(const at::Tensor& primal);
at::Tensor layer_norm_tangent(const LayerNorm& layer, const NormStatistics& statistics,
                              const at::Tensor& tangent);

}  // namespace regulus::backbone

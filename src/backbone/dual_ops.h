#pragma once

#include <ATen/core/Tensor.h>

namespace regulus::backbone {

/// Closed-form tangents of the layers, on stacked tensors: axis 0 is [primal] or [primal, tangent].

/// An affine layer.
struct Linear {
  at::Tensor weight;  ///< [out, in]
  at::Tensor bias;    ///< [out]
  /// The weight that tangents take, a copy in bfloat16: operands are rounded, sums are float32, and the
  /// product is rounded once. Undefined: the weight itself.
  at::Tensor tangent_weight{};
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

/// y = W x + b, ẏ = W ẋ. \param x [P, …, in] with P = 1 or 2 parts \return [P, …, out], of x's type
at::Tensor linear(const Linear& layer, const at::Tensor& x);

/// ẏ = W ẋ alone. \param tangent […, in] \return […, out], of its type
at::Tensor linear_tangent(const Linear& layer, const at::Tensor& tangent);

/// max(x, slope·x), in place on both parts; slope 0 is ReLU. The tangent at 0 follows torch: slope·ẋ.
void rectify_(at::Tensor& x, double slope);

/// y = x̂∘w + b on part 0, ẏ = (ẋ − mean(ẋ) − x̂∘mean(x̂∘ẋ))/σ ∘ w on part 1.
at::Tensor layer_norm(const LayerNorm& layer, const at::Tensor& x);

NormStatistics norm_statistics(const at::Tensor& primal);
at::Tensor layer_norm_tangent(const LayerNorm& layer, const NormStatistics& statistics,
                              const at::Tensor& tangent);

}  // namespace regulus::backbone

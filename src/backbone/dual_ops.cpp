#include "dual_ops.h"

#include <ATen/ATen.h>

namespace regulus::backbone {

namespace {

constexpr double kNormEpsilon = 1e-5;

/// x Wᵀ with operands of the weight's type. \param x […, in]
at::Tensor product(const at::Tensor& weight, const at::Tensor& x) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).to(weight.scalar_type());
  auto shape = x.sizes().vec();
  shape.back() = weight.size(0);
  return at::mm(rows, weight.t()).to(x.scalar_type()).reshape(shape);
}

}  // namespace

at::Tensor linear_tangent(const Linear& layer, const at::Tensor& tangent) {
  return product(layer.tangent_weight.defined() ? layer.tangent_weight : layer.weight, tangent);
}

at::Tensor linear(const Linear& layer, const at::Tensor& x) {
  const bool alike = x.size(0) == 1 || !layer.tangent_weight.defined();
  at::Tensor y = alike ? product(layer.weight, x)
                       : at::stack({product(layer.weight, x[0]), linear_tangent(layer, x[1])});
  y[0].add_(layer.bias);
  return y;
}

void rectify_(at::Tensor& x, double slope) {
  at::Tensor primal = x[0];
  if (x.size(0) == 2) {
    at::Tensor tangent = x[1];
    at::leaky_relu_backward_out(tangent, tangent, primal, slope, false);
  }
  at::leaky_relu_(primal, slope);
}

NormStatistics norm_statistics(const at::Tensor& primal) {
  const auto [normalised, mean, scale] =
      at::native_layer_norm(primal, {primal.size(-1)}, c10::nullopt, c10::nullopt, kNormEpsilon);
  return {normalised, scale};
}

at::Tensor layer_norm_tangent(const LayerNorm& layer, const NormStatistics& statistics,
                              const at::Tensor& tangent) {
  const at::Tensor along = (statistics.normalised * tangent).mean(-1, true);
  at::Tensor result = tangent - tangent.mean(-1, true);
  result.addcmul_(statistics.normalised, along, -1.0);
  return result.mul_(statistics.scale).mul_(layer.weight);
}

at::Tensor layer_norm(const LayerNorm& layer, const at::Tensor& x) {
  const NormStatistics statistics = norm_statistics(x[0]);
  at::Tensor y = at::empty_like(x);
  y[0].copy_(statistics.normalised).mul_(layer.weight).add_(layer.bias);
  if (x.size(0) == 2) y[1].copy_(layer_norm_tangent(layer, statistics, x[1]));
  return y;
}

}  // namespace regulus::backbone

#pragma once

#include <ATen/ATen.h>

namespace regulus::test {

/// Pearson's correlation of all elements, in float64.
inline double correlation(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor x = a.to(at::kDouble) - a.to(at::kDouble).mean();
  const at::Tensor y = b.to(at::kDouble) - b.to(at::kDouble).mean();
  return ((x * y).sum() / at::sqrt((x * x).sum() * (y * y).sum())).item<double>();
}

}  // namespace regulus::test

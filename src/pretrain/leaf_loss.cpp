#include "leaf_loss.h"

#include <ATen/ATen.h>

#include "regulus/backbone/predict.h"

namespace regulus::pretrain {

namespace {

/// A view [samples, length] of one of the leaf's vectors, which must outlive it. Never written through.
template <typename T>
at::Tensor view(const MaskedLeaf& leaf, const std::vector<T>& values, at::ScalarType type) {
  return at::from_blob(const_cast<T*>(values.data()), {leaf.samples, leaf.length}, type);
}

}  // namespace

at::Tensor squared_error(const backbone::TransformerConfig& config, const backbone::StateDict& weights,
                         const MaskedLeaf& leaf) {
  const at::Tensor padding = leaf.padded ? view(leaf, leaf.padding, at::kByte).to(at::kBool) : at::Tensor();
  const at::Tensor predicted = backbone::predict(config, weights, view(leaf, leaf.gene_ids, at::kLong),
                                                 view(leaf, leaf.shown, at::kFloat), padding);
  const at::Tensor error = predicted - view(leaf, leaf.truth, at::kFloat);
  return (error * view(leaf, leaf.masked, at::kFloat)).square().sum();
}

double baseline_squared_error(const MaskedLeaf& leaf) {
  double total = 0.0;
  for (std::size_t i = 0; i < leaf.truth.size(); ++i) {
    const double error = static_cast<double>(leaf.gene_mean[i]) - static_cast<double>(leaf.truth[i]);
    total += static_cast<double>(leaf.masked[i]) * error * error;
  }
  return total;
}

}  // namespace regulus::pretrain

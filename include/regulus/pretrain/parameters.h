#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

#include "regulus/backbone/weights.h"

namespace regulus::pretrain {

/// A model's weights in one flat float32 buffer and their gradients in another, so that reductions and the
/// optimiser see one array. Weights lie in the order of their names, each aligned to 64 bytes; the gaps stay
/// zero.
class Parameters {
 public:
  explicit Parameters(const backbone::StateDict& initial);
  Parameters(const Parameters&) = delete;
  Parameters& operator=(const Parameters&) = delete;

  /// The weights as tensors that require gradients: views of values(), their gradients views of gradient().
  const backbone::StateDict& weights() const { return weights_; }
  std::size_t size() const { return size_; }
  std::span<float> values();
  std::span<float> gradient();
  void clear_gradient();
  /// Per element of values(): 1 in matrices, 0 in vectors and gaps.
  std::vector<std::uint8_t> in_matrix() const;
  /// Number of weights, without gaps.
  std::int64_t weight_count() const;

 private:
  std::size_t size_ = 0;
  at::Tensor values_;
  at::Tensor gradient_;
  backbone::StateDict weights_;
};

}  // namespace regulus::pretrain

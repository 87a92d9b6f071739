#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/forward_grad.h>

#include <utility>

namespace regulus::test {

/// function(states) and its derivative along `direction`, by LibTorch's forward-mode AD.
template <typename Function>
std::pair<at::Tensor, at::Tensor> forward_mode(const at::Tensor& states, const at::Tensor& direction,
                                               Function function) {
  const auto level = torch::autograd::ForwardADLevel::get_next_idx();
  const auto [primal, tangent] = at::_unpack_dual(function(at::_make_dual(states, direction, level)), level);
  const std::pair<at::Tensor, at::Tensor> result{primal.clone(), tangent.clone()};
  torch::autograd::ForwardADLevel::release_idx(level);
  return result;
}

}  // namespace regulus::test

#include "regulus/pretrain/parameters.h"

#include <ATen/ATen.h>

namespace regulus::pretrain {

namespace {

constexpr std::int64_t kAlignment = 16;  // floats: one cache line

std::int64_t aligned(std::int64_t count) {
  return (count + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

Parameters::Parameters(const backbone::StateDict& initial) {
  std::int64_t total = 0;
  for (const auto& entry : initial) total += aligned(entry.second.numel());
  size_ = static_cast<std::size_t>(total);
  values_ = at::zeros({total}, at::kFloat);
  gradient_ = at::zeros({total}, at::kFloat);
  std::int64_t offset = 0;
  for (const auto& [name, weight] : initial) {
    at::Tensor view = values_.narrow(0, offset, weight.numel()).view(weight.sizes()).detach();
    view.copy_(weight.detach());
    view.requires_grad_(true);
    view.mutable_grad() = gradient_.narrow(0, offset, weight.numel()).view(weight.sizes()).detach();
    weights_[name] = view;
    offset += aligned(weight.numel());
  }
}

std::span<float> Parameters::values() {
  return {values_.data_ptr<float>(), size_};
}

std::span<float> Parameters::gradient() {
  return {gradient_.data_ptr<float>(), size_};
}

void Parameters::clear_gradient() {
  gradient_.zero_();
}

std::vector<std::uint8_t> Parameters::in_matrix() const {
  std::vector<std::uint8_t> flags;
  flags.reserve(size_);
  for (const auto& entry : weights_) {
    const auto count = static_cast<std::size_t>(entry.second.numel());
    const auto gap = static_cast<std::size_t>(aligned(entry.second.numel())) - count;
    flags.insert(flags.end(), count, entry.second.dim() > 1 ? 1 : 0);
    flags.insert(flags.end(), gap, 0);
  }
  return flags;
}

std::int64_t Parameters::weight_count() const {
  std::int64_t count = 0;
  for (const auto& entry : weights_) count += entry.second.numel();
  return count;
}

}  // namespace regulus::pretrain

#include "regulus/backbone/weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <cstring>
#include <set>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::backbone {

namespace {

bool ends_with(const std::string& text, const char* suffix) {
  const std::string end(suffix);
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_norm(const std::string& name) {
  return name.find("norm") != std::string::npos;
}

/// Half-width of the uniform initial distribution of a weight.
double initial_bound(const WeightSpec& spec, std::int64_t width) {
  if (spec.name == "encoder.embedding.weight") return 0.1;
  if (ends_with(spec.name, "in_proj_bias") || ends_with(spec.name, "out_proj.bias")) return 0.0;
  if (ends_with(spec.name, "in_proj_weight"))  // Xavier, as torch's MultiheadAttention
    return std::sqrt(6.0 / static_cast<double>(spec.shape[0] + spec.shape[1]));
  if (spec.name == "value_encoder.linear1.bias") return 1.0;
  const std::int64_t fan_in = spec.shape.size() == 2 ? spec.shape[1] : width;
  return 1.0 / std::sqrt(static_cast<double>(fan_in));
}

at::Tensor initial_value(const WeightSpec& spec, std::int64_t width, std::uint64_t seed,
                         std::uint64_t index) {
  at::Tensor tensor = at::empty(spec.shape, at::kFloat);
  if (is_norm(spec.name)) return tensor.fill_(ends_with(spec.name, "weight") ? 1.0 : 0.0);
  const double bound = initial_bound(spec, width);
  RandomStream random(seed, "backbone.weights", index);
  float* values = tensor.data_ptr<float>();
  for (std::int64_t i = 0; i < tensor.numel(); ++i)
    values[i] = static_cast<float>((2.0 * random.uniform() - 1.0) * bound);
  return tensor;
}

at::ScalarType scalar_type(storage::DType dtype, const std::string& name, const std::string& where) {
  switch (dtype) {
    case storage::DType::F64:
      return at::kDouble;
    case storage::DType::F32:
      return at::kFloat;
    case storage::DType::F16:
      return at::kHalf;
    case storage::DType::BF16:
      return at::kBFloat16;
    default:
      throw ModelError(fmt::format("tensor '{}' is not of a floating type", name), where);
  }
}

at::Tensor to_tensor(const storage::TensorView& view, const std::string& name, const std::string& where) {
  at::Tensor tensor = at::empty(view.shape, scalar_type(view.dtype, name, where));
  std::memcpy(tensor.data_ptr(), view.data.data(), view.data.size());
  tensor = tensor.to(at::kFloat).contiguous();
  if (!at::isfinite(tensor).all().item<bool>())
    throw ModelError(fmt::format("tensor '{}' holds NaN or infinity", name), where,
                     "the checkpoint is damaged");
  return tensor;
}

}  // namespace

StateDict random_weights(const TransformerConfig& config, std::uint64_t seed) {
  StateDict weights;
  std::uint64_t index = 0;
  for (const auto& spec : weight_specs(config))
    weights[spec.name] = initial_value(spec, config.width, seed, index++);
  return weights;
}

StateDict weights_from_tensors(const std::map<std::string, storage::TensorView>& tensors,
                               const TransformerConfig& config, const std::string& where) {
  std::vector<std::string> problems;
  std::set<std::string> expected;
  StateDict weights;
  for (const auto& spec : weight_specs(config)) {
    expected.insert(spec.name);
    const auto found = tensors.find(spec.name);
    if (found == tensors.end()) {
      problems.push_back(fmt::format("{} is missing", spec.name));
    } else if (found->second.shape != spec.shape) {
      problems.push_back(fmt::format("{} is [{}], expected [{}]", spec.name,
                                     fmt::join(found->second.shape, ", "), fmt::join(spec.shape, ", ")));
    } else {
      weights[spec.name] = to_tensor(found->second, spec.name, where);
    }
  }
  for (const auto& entry : tensors)
    if (expected.count(entry.first) == 0)
      problems.push_back(fmt::format("{} is not part of this architecture", entry.first));
  if (!problems.empty())
    throw ModelError(fmt::format("does not fit args.json and vocab.json: {}", fmt::join(problems, "; ")),
                     where, "args.json, vocab.json and the checkpoint must come from the same model");
  return weights;
}

std::map<std::string, storage::TensorView> tensors_from_weights(const StateDict& weights) {
  std::map<std::string, storage::TensorView> tensors;
  for (const auto& [name, weight] : weights) {
    const at::Tensor plain = weight.detach().to(at::kFloat).contiguous();
    storage::TensorView view;
    view.dtype = storage::DType::F32;
    view.shape = plain.sizes().vec();
    view.data.resize(plain.nbytes());
    std::memcpy(view.data.data(), plain.data_ptr(), plain.nbytes());
    tensors[name] = std::move(view);
  }
  return tensors;
}

StateDict convert(const StateDict& weights, at::ScalarType type) {
  StateDict converted;
  for (const auto& [name, weight] : weights) converted[name] = weight.detach().to(type).contiguous();
  return converted;
}

}  // namespace regulus::backbone

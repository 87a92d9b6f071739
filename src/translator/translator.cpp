#include "regulus/translator/translator.h"

#include <ATen/ATen.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"
#include "regulus/translator/mlp.h"
#include "regulus/translator/single_thread.h"

namespace regulus::translator {

namespace {

/// Rows per matrix product. Always this many, padded with zeros: a product's last bits may depend on its
/// shape.
constexpr std::int64_t kBlock = 256;

/// Standardised rows [begin, begin + kBlock), as far as there are.
at::Tensor block_inputs(const Standardiser& standardiser, std::span<const float> values, std::int64_t begin) {
  const std::int64_t width = standardiser.width();
  const std::int64_t pairs = static_cast<std::int64_t>(values.size()) / width;
  at::Tensor inputs = at::zeros({kBlock, width}, at::kFloat);
  for (std::int64_t row = begin; row < std::min(begin + kBlock, pairs); ++row)
    standardiser.apply(values.data() + row * width, inputs.data_ptr<float>() + (row - begin) * width);
  return inputs;
}

}  // namespace

Translator::Translator(std::vector<ProbeModel> models, TrainingRecord record)
    : models_(std::move(models)), record_(std::move(record)) {}

std::vector<std::string> Translator::probes() const {
  std::vector<std::string> names;
  for (const ProbeModel& model : models_) names.push_back(model.probe);
  return names;
}

bool Translator::has(const std::string& probe) const {
  return std::any_of(models_.begin(), models_.end(),
                     [&](const ProbeModel& model) { return model.probe == probe; });
}

const ProbeModel& Translator::model(const std::string& probe) const {
  for (const ProbeModel& model : models_)
    if (model.probe == probe) return model;
  throw ModelError(
      "the translator has no probe '" + probe + "'", "translator",
      fmt::format("it was trained on {}; train it on features with {}", fmt::join(probes(), ", "), probe));
}

std::vector<float> Translator::logits(const std::string& probe, std::span<const float> values) const {
  const ProbeModel& chosen = model(probe);
  const std::int64_t width = chosen.shape.inputs();
  const auto count = static_cast<std::int64_t>(values.size());
  if (count % width != 0)
    throw InputError(fmt::format("{} feature values are no whole rows of width {}", count, width), probe,
                     "probe with the grids that the translator was trained on");
  const SingleThread one;
  const at::Tensor parameters =
      at::from_blob(const_cast<float*>(chosen.parameters.data()), {chosen.shape.parameters()}, at::kFloat);
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(count / width));
  for (std::int64_t begin = 0; begin < count / width; begin += kBlock) {
    const at::Tensor block =
        forward(chosen.shape, parameters, block_inputs(chosen.standardiser, values, begin)).contiguous();
    const float* first = block.data_ptr<float>();
    result.insert(result.end(), first, first + std::min(kBlock, count / width - begin));
  }
  return result;
}

std::vector<float> Translator::ensemble_logits(const std::vector<ProbeMatrix>& features) const {
  std::vector<double> sum;
  for (const ProbeMatrix& matrix : features) {
    const std::int64_t width = model(matrix.probe).shape.inputs();
    if (matrix.width != width)
      throw InputError(fmt::format("the {} features have {} values per pair instead of {}", matrix.probe,
                                   matrix.width, width),
                       matrix.probe, "probe with the grids that the translator was trained on");
    const std::vector<float> part = logits(matrix.probe, matrix.values);
    sum.resize(part.size(), 0.0);
    for (std::size_t i = 0; i < part.size(); ++i) sum[i] += static_cast<double>(part[i]);
  }
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double value : sum)
    mean.push_back(static_cast<float>(value / static_cast<double>(features.size())));
  return mean;
}

float probability(float logit) {
  return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(logit))));
}

}  // namespace regulus::translator

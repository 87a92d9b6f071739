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

/// Standardised rows [begin, begin + kBlock), as far as there are, into `inputs` [kBlock, width].
void fill_block(const Standardiser& standardiser, std::span<const float> values, std::int64_t begin,
                at::Tensor& inputs) {
  const std::int64_t width = standardiser.width();
  const std::int64_t rows = std::min(kBlock, static_cast<std::int64_t>(values.size()) / width - begin);
  if (rows < kBlock) inputs.zero_();
  float* out = inputs.data_ptr<float>();
  for (std::int64_t row = 0; row < rows; ++row)
    standardiser.apply(values.data() + (begin + row) * width, out + row * width);
}

at::Tensor as_tensor(const TrainedMlp& mlp) {
  return at::from_blob(const_cast<float*>(mlp.parameters.data()),
                       {static_cast<std::int64_t>(mlp.parameters.size())}, at::kFloat);
}

/// The logits of some MLPs of one probe, [mlps][n].
using Logits = std::vector<std::vector<float>>;

/// The members' logits and, after them, those of the first `nulls` nulls: each row is standardised once for
/// all of them.
Logits all_logits(const ProbeModel& model, std::span<const float> values, std::int64_t nulls) {
  const std::int64_t width = model.shape.inputs();
  const std::int64_t pairs = static_cast<std::int64_t>(values.size()) / width;
  std::vector<at::Tensor> parameters;
  for (const TrainedMlp& member : model.members) parameters.push_back(as_tensor(member));
  for (std::int64_t n = 0; n < nulls; ++n)
    parameters.push_back(as_tensor(model.nulls[static_cast<std::size_t>(n)]));
  Logits logits(parameters.size(), std::vector<float>(static_cast<std::size_t>(pairs)));
  at::Tensor inputs = at::empty({kBlock, width}, at::kFloat);
  for (std::int64_t begin = 0; begin < pairs; begin += kBlock) {
    fill_block(model.standardiser, values, begin, inputs);
    for (std::size_t mlp = 0; mlp < parameters.size(); ++mlp) {
      const at::Tensor block = forward(model.shape, parameters[mlp], inputs).contiguous();
      std::copy_n(block.data_ptr<float>(), std::min(kBlock, pairs - begin), logits[mlp].data() + begin);
    }
  }
  return logits;
}

std::vector<float> divided(const std::vector<double>& sum, std::size_t count) {
  std::vector<float> mean;
  mean.reserve(sum.size());
  for (const double value : sum) mean.push_back(static_cast<float>(value / static_cast<double>(count)));
  return mean;
}

void add_to(std::vector<double>& sum, const std::vector<float>& values) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(values[i]);
}

/// The mean over the first `count` rows.
std::vector<float> mean_of(const Logits& logits, std::size_t count) {
  std::vector<double> sum(logits.front().size(), 0.0);
  for (std::size_t row = 0; row < count; ++row) add_to(sum, logits[row]);
  return divided(sum, count);
}

/// Sums over probes, from which a prediction is made.
class ProbeSums {
 public:
  ProbeSums(std::int64_t members, std::int64_t nulls, std::size_t pairs)
      : members_(static_cast<std::size_t>(members)),
        mean_(pairs, 0.0),
        each_(static_cast<std::size_t>(members + nulls), std::vector<double>(pairs, 0.0)) {}

  void add(const Logits& logits) {
    ++probes_;
    add_to(mean_, mean_of(logits, members_));
    for (std::size_t mlp = 0; mlp < each_.size(); ++mlp) add_to(each_[mlp], logits[mlp]);
  }

  std::vector<float> mean() const { return divided(mean_, probes_); }

  std::vector<float> spread() const {
    std::vector<float> result(mean_.size());
    for (std::size_t pair = 0; pair < result.size(); ++pair) result[pair] = spread_of(pair);
    return result;
  }

  std::vector<float> nulls() const {
    std::vector<float> result;
    result.reserve((each_.size() - members_) * mean_.size());
    for (std::size_t mlp = members_; mlp < each_.size(); ++mlp) {
      const std::vector<float> logits = divided(each_[mlp], probes_);
      result.insert(result.end(), logits.begin(), logits.end());
    }
    return result;
  }

 private:
  float spread_of(std::size_t pair) const {
    double mean = 0.0;
    for (std::size_t m = 0; m < members_; ++m) mean += each_[m][pair] / static_cast<double>(members_);
    double squares = 0.0;
    for (std::size_t m = 0; m < members_; ++m) squares += (each_[m][pair] - mean) * (each_[m][pair] - mean);
    return static_cast<float>(std::sqrt(squares / static_cast<double>(members_ - 1)) /
                              static_cast<double>(probes_));
  }

  std::size_t members_;
  std::size_t probes_ = 0;
  std::vector<double> mean_;
  std::vector<std::vector<double>> each_;  ///< [members, then nulls][pairs]
};

/// \throws InputError unless the matrix is made of `pairs` rows of the model's width
void require_fit(const ProbeModel& model, const ProbeMatrix& matrix, std::int64_t pairs) {
  const char* remedy = "probe with the grids that the translator was trained on";
  if (matrix.width != model.shape.inputs())
    throw InputError(fmt::format("the {} features have {} values per pair instead of {}", matrix.probe,
                                 matrix.width, model.shape.inputs()),
                     matrix.probe, remedy);
  if (static_cast<std::int64_t>(matrix.values.size()) != pairs * matrix.width)
    throw InputError(fmt::format("{} feature values are not those of {} pairs with {} each",
                                 matrix.values.size(), pairs, matrix.width),
                     matrix.probe, remedy);
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

std::int64_t Translator::member_count() const {
  return static_cast<std::int64_t>(models_.front().members.size());
}

std::int64_t Translator::null_count() const {
  return static_cast<std::int64_t>(models_.front().nulls.size());
}

Prediction Translator::predict(const std::vector<ProbeMatrix>& features,
                               const PredictOptions& options) const {
  if (features.empty()) throw InputError("no features to translate", "translator");
  const std::int64_t pairs = static_cast<std::int64_t>(features.front().values.size()) /
                             std::max<std::int64_t>(1, features.front().width);
  const SingleThread one;
  const std::int64_t nulls = options.null ? null_count() : 0;
  ProbeSums sums(member_count(), nulls, static_cast<std::size_t>(pairs));
  for (const ProbeMatrix& matrix : features) {
    require_fit(model(matrix.probe), matrix, pairs);
    sums.add(all_logits(model(matrix.probe), matrix.values, nulls));
  }
  Prediction prediction;
  prediction.logit = sums.mean();
  if (options.spread && member_count() > 1) prediction.spread = sums.spread();
  if (options.null) prediction.null = sums.nulls();
  return prediction;
}

std::vector<float> Translator::logits(const std::string& probe, std::span<const float> values) const {
  const ProbeModel& chosen = model(probe);
  const std::int64_t width = chosen.shape.inputs();
  if (static_cast<std::int64_t>(values.size()) % width != 0)
    throw InputError(fmt::format("{} feature values are no whole rows of width {}", values.size(), width),
                     probe, "probe with the grids that the translator was trained on");
  const SingleThread one;
  return mean_of(all_logits(chosen, values, 0), chosen.members.size());
}

std::vector<float> Translator::ensemble_logits(const std::vector<ProbeMatrix>& features) const {
  return predict(features).logit;
}

float probability(float logit) {
  return static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(logit))));
}

}  // namespace regulus::translator

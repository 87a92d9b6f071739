#include "mlp_trainer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "regulus/comm/agree.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/core/random.h"
#include "regulus/translator/mlp.h"

namespace regulus::translator {

namespace {

/// Steps between two looks at whether to stop or to write a checkpoint, within an epoch: few enough for the
/// minutes that a batch system leaves, many enough to cost nothing.
constexpr std::int64_t kStepsPerLook = 64;

at::Tensor as_floats(const std::vector<std::uint8_t>& labels) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(labels.size())}, at::kFloat);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<float>());
  return tensor;
}

at::Tensor pair_weights(const std::vector<std::uint8_t>& labels, const TrainingSplit& split, bool by_class) {
  at::Tensor weights = at::ones({static_cast<std::int64_t>(labels.size())}, at::kFloat);
  if (!by_class) return weights;
  std::int64_t positives = 0;
  for (const std::int64_t pair : split.train) positives += labels[static_cast<std::size_t>(pair)];
  const auto all = static_cast<double>(split.train.size());
  const double positive_weight = all / (2.0 * static_cast<double>(positives));
  const double negative_weight = all / (2.0 * (all - static_cast<double>(positives)));
  float* out = weights.data_ptr<float>();
  for (const std::uint8_t label : labels)
    *out++ = static_cast<float>(label == 1 ? positive_weight : negative_weight);
  return weights;
}

/// Leaves [r, r + size, …) of `pairs` are this rank's.
template <typename Work>
void for_my_leaves(const comm::Communicator& comm, std::span<const std::int64_t> pairs, std::int64_t leaf,
                   Work&& work) {
  const auto step = static_cast<std::size_t>(leaf);
  for (std::size_t begin = step * static_cast<std::size_t>(comm.rank()); begin < pairs.size();
       begin += step * static_cast<std::size_t>(comm.size()))
    work(pairs.subspan(begin, std::min(step, pairs.size() - begin)));
}

}  // namespace

at::Tensor standardised(const Standardiser& standardiser, const ProbeMatrix& features) {
  const auto pairs = static_cast<std::int64_t>(features.values.size()) / features.width;
  at::Tensor inputs = at::empty({pairs, features.width}, at::kFloat);
  for (std::int64_t pair = 0; pair < pairs; ++pair)
    standardiser.apply(features.values.data() + pair * features.width,
                       inputs.data_ptr<float>() + pair * features.width);
  return inputs;
}

Examples make_examples(const at::Tensor& inputs, const std::vector<std::uint8_t>& labels,
                       const TrainingSplit& split, bool by_class) {
  return {inputs, as_floats(labels), pair_weights(labels, split, by_class)};
}

MlpTrainer::MlpTrainer(const comm::Communicator& comm, Examples examples, const TrainingSplit& split,
                       const TrainOptions& options, std::string name)
    : comm_(comm),
      split_(split),
      options_(options),
      name_(std::move(name)),
      examples_(std::move(examples)),
      optimiser_(static_cast<std::size_t>(shape().parameters()), options.learning_rate,
                 options.weight_decay) {
  state_.mlp.parameters = initial_parameters(shape(), options.seed, name_);
}

MlpState MlpTrainer::state() const {
  MlpState state = state_;
  state.optimiser = optimiser_.state();
  return state;
}

void MlpTrainer::restore(MlpState state) {
  state_ = std::move(state);
  optimiser_.restore(std::move(state_.optimiser));
}

bool MlpTrainer::finished() const {
  const LossCurve& curve = state_.mlp.curve;
  const auto epochs = static_cast<std::int64_t>(curve.train.size());
  const bool patience_over = !curve.validation.empty() && epochs - 1 - curve.best_epoch >= options_.patience;
  return epochs >= options_.epochs || patience_over;
}

MlpShape MlpTrainer::shape() const {
  return {examples_.inputs.size(1), options_.hidden};
}

double MlpTrainer::total_weight(std::span<const std::int64_t> pairs) const {
  const float* weights = examples_.weights.data_ptr<float>();
  double total = 0.0;
  for (const std::int64_t pair : pairs) total += static_cast<double>(weights[pair]);
  return total;
}

Examples MlpTrainer::leaf(std::span<const std::int64_t> pairs) const {
  at::Tensor rows = at::empty({static_cast<std::int64_t>(pairs.size())}, at::kLong);
  std::copy(pairs.begin(), pairs.end(), rows.data_ptr<std::int64_t>());
  return {examples_.inputs.index_select(0, rows), examples_.labels.index_select(0, rows),
          examples_.weights.index_select(0, rows)};
}

at::Tensor MlpTrainer::parameters() {
  std::vector<float>& values = state_.mlp.parameters;
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kFloat);
}

double MlpTrainer::train_step(std::span<const std::int64_t> batch) {
  const double scale = 1.0 / total_weight(batch);
  std::vector<float>& values = state_.mlp.parameters;
  comm::ExactSum sum(values.size() + 1);  // the gradient, then the loss
  comm::agree(comm_, "training the translator", [&] {
    for_my_leaves(comm_, batch, options_.leaf, [&](std::span<const std::int64_t> pairs) {
      const Examples some = leaf(pairs);
      const LossGradient part =
          loss_and_gradient(shape(), parameters(), some.inputs, some.labels, some.weights);
      const at::Tensor gradient = part.gradient.to(at::kDouble).mul_(scale);
      const double loss = part.loss * scale;
      sum.add(std::span<const double>(gradient.data_ptr<double>(), values.size()));
      sum.add(std::span<const double>(&loss, 1), values.size());
    });
  });
  const std::vector<double> total = sum.reduce(comm_);
  optimiser_.step(values, std::span<const double>(total).first(values.size()));
  return total.back();
}

std::vector<std::int64_t> MlpTrainer::epoch_order() const {
  const std::string purpose = "translator.order." + name_;
  RandomStream stream(options_.seed, purpose.c_str(), state_.mlp.curve.train.size());
  std::vector<std::int64_t> order = stream.permutation(static_cast<std::int64_t>(split_.train.size()));
  for (std::int64_t& place : order) place = split_.train[static_cast<std::size_t>(place)];
  return order;
}

/// True if it ended an epoch.
bool MlpTrainer::step() {
  if (order_.empty()) order_ = epoch_order();
  const auto begin = static_cast<std::size_t>(state_.batches * options_.batch);
  const std::size_t count = std::min(static_cast<std::size_t>(options_.batch), order_.size() - begin);
  const auto pairs = std::span<const std::int64_t>(order_).subspan(begin, count);
  state_.epoch_loss += train_step(pairs) * total_weight(pairs);
  ++state_.batches;
  if (begin + count < order_.size()) return false;
  end_epoch();
  return true;
}

double MlpTrainer::validation_loss() {
  const double scale = 1.0 / total_weight(split_.validation);
  comm::ExactSum sum(1);
  comm::agree(comm_, "validating the translator", [&] {
    for_my_leaves(comm_, split_.validation, options_.leaf, [&](std::span<const std::int64_t> pairs) {
      const Examples some = leaf(pairs);
      const double part =
          scale * loss(forward(shape(), parameters(), some.inputs), some.labels, some.weights);
      sum.add(std::span<const double>(&part, 1));
    });
  });
  return sum.reduce(comm_).front();
}

void MlpTrainer::note_losses(double train, double validation) {
  LossCurve& curve = state_.mlp.curve;
  const bool best =
      curve.validation.empty() || validation < curve.validation[static_cast<std::size_t>(curve.best_epoch)];
  curve.train.push_back(train);
  curve.validation.push_back(validation);
  if (!best) return;
  curve.best_epoch = static_cast<std::int64_t>(curve.train.size()) - 1;
  state_.best = state_.mlp.parameters;
}

void MlpTrainer::end_epoch() {
  const double train = state_.epoch_loss / total_weight(order_);
  LossCurve& curve = state_.mlp.curve;
  if (split_.validation.empty()) {
    curve.best_epoch = static_cast<std::int64_t>(curve.train.size());
    curve.train.push_back(train);
  } else {
    note_losses(train, validation_loss());
  }
  state_.epoch_loss = 0.0;
  state_.batches = 0;
  order_.clear();
}

TrainedMlp MlpTrainer::run(Progress& progress, const Look& look) {
  while (!finished()) {
    const bool epoch_end = step();
    const LossCurve& curve = state_.mlp.curve;
    if (epoch_end) progress.advance(1, fmt::format("{}: loss {:.4f}", name_, curve.train.back()));
    if (epoch_end || state_.batches % kStepsPerLook == 0) look(epoch_end);
  }
  const auto epochs = static_cast<std::int64_t>(state_.mlp.curve.train.size());
  if (epochs < options_.epochs) progress.advance(options_.epochs - epochs, name_ + ": stopped early");
  TrainedMlp trained = std::move(state_.mlp);
  if (!state_.best.empty()) trained.parameters = std::move(state_.best);
  return trained;
}

}  // namespace regulus::translator

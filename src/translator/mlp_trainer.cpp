#include "probe_trainer.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>

#include "regulus/comm/agree.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/core/random.h"
#include "regulus/translator/mlp.h"

namespace regulus::translator {

namespace {

at::Tensor standardised(const Standardiser& standardiser, const ProbeMatrix& features) {
  const auto pairs = static_cast<std::int64_t>(features.values.size()) / features.width;
  at::Tensor inputs = at::empty({pairs, features.width}, at::kFloat);
  for (std::int64_t pair = 0; pair < pairs; ++pair)
    standardiser.apply(features.values.data() + pair * features.width,
                       inputs.data_ptr<float>() + pair * features.width);
  return inputs;
}

at::Tensor as_floats(const std::vector<std::uint8_t>& labels) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(labels.size())}, at::kFloat);
  std::copy(labels.begin(), labels.end(), tensor.data_ptr<float>());
  return tensor;
}

/// 1, or what gives both classes of the training part the same total.
at::Tensor pair_weights(const PairTable& table, const TrainingSplit& split, bool by_class) {
  at::Tensor weights = at::ones({table.size()}, at::kFloat);
  if (!by_class) return weights;
  std::int64_t positives = 0;
  for (const std::int64_t pair : split.train) positives += table.label[static_cast<std::size_t>(pair)];
  const auto all = static_cast<double>(split.train.size());
  const double positive_weight = all / (2.0 * static_cast<double>(positives));
  const double negative_weight = all / (2.0 * (all - static_cast<double>(positives)));
  float* out = weights.data_ptr<float>();
  for (const std::uint8_t label : table.label)
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

ProbeTrainer::ProbeTrainer(const comm::Communicator& comm, const PairTable& table,
                           const ProbeMatrix& features, const TrainingSplit& split,
                           const TrainOptions& options)
    : comm_(comm), options_(options), split_(split) {
  model_.probe = features.probe;
  model_.standardiser = Standardiser::fit(features.values, features.width, split.train, options.transform);
  model_.shape = MlpShape(features.width, options.hidden);
  model_.parameters = initial_parameters(model_.shape, options.seed, features.probe);
  inputs_ = standardised(model_.standardiser, features);
  labels_ = as_floats(table.label);
  weights_ = pair_weights(table, split, options.class_weights);
}

double ProbeTrainer::total_weight(std::span<const std::int64_t> pairs) const {
  const float* weights = weights_.data_ptr<float>();
  double total = 0.0;
  for (const std::int64_t pair : pairs) total += static_cast<double>(weights[pair]);
  return total;
}

ProbeTrainer::Leaf ProbeTrainer::leaf(std::span<const std::int64_t> pairs) const {
  at::Tensor rows = at::empty({static_cast<std::int64_t>(pairs.size())}, at::kLong);
  std::copy(pairs.begin(), pairs.end(), rows.data_ptr<std::int64_t>());
  return {inputs_.index_select(0, rows), labels_.index_select(0, rows), weights_.index_select(0, rows)};
}

at::Tensor ProbeTrainer::parameters() {
  return at::from_blob(model_.parameters.data(), {model_.shape.parameters()}, at::kFloat);
}

double ProbeTrainer::train_step(std::span<const std::int64_t> batch, AdamW& optimiser) {
  const double scale = 1.0 / total_weight(batch);
  comm::ExactSum sum(model_.parameters.size() + 1);  // the gradient, then the loss
  comm::agree(comm_, "training the translator", [&] {
    for_my_leaves(comm_, batch, options_.leaf, [&](std::span<const std::int64_t> pairs) {
      const Leaf examples = leaf(pairs);
      const LossGradient part =
          loss_and_gradient(model_.shape, parameters(), examples.inputs, examples.labels, examples.weights);
      const at::Tensor gradient = part.gradient.to(at::kDouble).mul_(scale);
      const double loss = part.loss * scale;
      sum.add(std::span<const double>(gradient.data_ptr<double>(), model_.parameters.size()));
      sum.add(std::span<const double>(&loss, 1), model_.parameters.size());
    });
  });
  const std::vector<double> total = sum.reduce(comm_);
  optimiser.step(model_.parameters, std::span<const double>(total).first(model_.parameters.size()));
  return total.back();
}

double ProbeTrainer::train_epoch(std::int64_t epoch, AdamW& optimiser) {
  const std::string purpose = "translator.order." + model_.probe;
  RandomStream stream(options_.seed, purpose.c_str(), static_cast<std::uint64_t>(epoch));
  std::vector<std::int64_t> order = stream.permutation(static_cast<std::int64_t>(split_.train.size()));
  for (std::int64_t& place : order) place = split_.train[static_cast<std::size_t>(place)];
  const auto batch = static_cast<std::size_t>(options_.batch);
  double loss = 0.0;
  for (std::size_t begin = 0; begin < order.size(); begin += batch) {
    const auto pairs =
        std::span<const std::int64_t>(order).subspan(begin, std::min(batch, order.size() - begin));
    loss += train_step(pairs, optimiser) * total_weight(pairs);
  }
  return loss / total_weight(order);
}

double ProbeTrainer::validation_loss() {
  const double scale = 1.0 / total_weight(split_.validation);
  comm::ExactSum sum(1);
  comm::agree(comm_, "validating the translator", [&] {
    for_my_leaves(comm_, split_.validation, options_.leaf, [&](std::span<const std::int64_t> pairs) {
      const Leaf examples = leaf(pairs);
      const double part = scale * loss(forward(model_.shape, parameters(), examples.inputs), examples.labels,
                                       examples.weights);
      sum.add(std::span<const double>(&part, 1));
    });
  });
  return sum.reduce(comm_).front();
}

bool ProbeTrainer::note_losses(double train, double validation) {
  LossCurve& curve = model_.curve;
  const bool best =
      curve.validation.empty() || validation < curve.validation[static_cast<std::size_t>(curve.best_epoch)];
  curve.train.push_back(train);
  curve.validation.push_back(validation);
  if (best) curve.best_epoch = static_cast<std::int64_t>(curve.train.size()) - 1;
  return best;
}

ProbeModel ProbeTrainer::run(Progress& progress) {
  AdamW optimiser(model_.parameters.size(), options_.learning_rate, options_.weight_decay);
  std::vector<float> best;
  std::int64_t epoch = 0;
  for (; epoch < options_.epochs; ++epoch) {
    const double train = train_epoch(epoch, optimiser);
    progress.advance(1, fmt::format("{}: loss {:.4f}", model_.probe, train));
    if (split_.validation.empty()) {
      model_.curve.train.push_back(train);
      model_.curve.best_epoch = epoch;
    } else if (note_losses(train, validation_loss())) {
      best = model_.parameters;
    } else if (epoch - model_.curve.best_epoch >= options_.patience) {
      break;
    }
  }
  if (epoch < options_.epochs)
    progress.advance(options_.epochs - epoch - 1, model_.probe + ": stopped early");
  if (!best.empty()) model_.parameters = best;
  return std::move(model_);
}

}  // namespace regulus::translator

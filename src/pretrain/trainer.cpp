#include "regulus/pretrain/trainer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "leaf_loss.h"
#include "regulus/comm/agree.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/core/progress.h"
#include "regulus/pretrain/checkpoint.h"
#include "regulus/pretrain/parameters.h"
#include "regulus/storage/text_file.h"

namespace regulus::pretrain {

namespace {

using Clock = std::chrono::steady_clock;

void check(const PretrainOptions& options) {
  if (options.schedule.steps < 1) throw OptionError("must be at least 1", "--steps");
  if (options.batch < 1) throw OptionError("must be at least 1", "--batch");
  if (options.leaf < 1) throw OptionError("must be at least 1", "--leaf");
  if (options.validation_every < 1) throw OptionError("must be at least 1", "--validate-every");
}

/// What the ranks do after a step; the largest wish wins.
enum class Decision { Continue, Save, Stop };

class Trainer {
 public:
  Trainer(const comm::Communicator& comm, const Corpus& corpus, const backbone::TransformerConfig& config,
          const PretrainOptions& options, const RunControl& control)
      : comm_(comm),
        config_(config),
        options_(options),
        control_(control),
        sampler_(corpus, options.sampling),
        has_validation_(!corpus.validation_cells().empty() && options.validation_samples > 0),
        job_(job_of(options, config, corpus)),
        parameters_(initial_weights(comm, corpus, config, options.start, options.sampling.seed)),
        optimiser_(options.optimiser, parameters_.in_matrix()),
        sum_(parameters_.size() + kTotals) {}

  PretrainedModel run() {
    if (control_.resume) resume();
    announce();
    Progress progress("pretraining", tokens(options_.schedule.steps - step_), "tokens", control_.progress);
    last_save_ = Clock::now();
    while (step_ < options_.schedule.steps) {
      step();
      if (step_ % options_.validation_every == 0 || step_ == options_.schedule.steps) add_row();
      progress.advance(tokens(1), describe());
      if (step_ < options_.schedule.steps) follow(decide());
    }
    return result();
  }

 private:
  static constexpr std::size_t kTotals = 2;  ///< besides the gradients: squared error, masked positions

  std::int64_t tokens(std::int64_t steps) const { return steps * options_.batch * sampler_.panel_length(); }

  /// Masked positions of a full batch of the longest panels. Sums are taken in units of it to stay within the
  /// range of the exact sum.
  double unit(std::int64_t samples) const {
    return static_cast<double>(samples * sampler_.masked_per_panel());
  }

  void announce() const {
    const std::int64_t leaves = (options_.batch + options_.leaf - 1) / options_.leaf;
    log::info("pretraining {} weights, {} tokens a step in {} leaves{}", parameters_.weight_count(),
              tokens(1), leaves, step_ > 0 ? fmt::format(", going on after step {}", step_) : std::string());
    if (comm_.is_root() && comm_.size() > leaves)
      log::warning("only {} of {} ranks have work: raise --batch, or lower --leaf", leaves, comm_.size());
  }

  /// Calls work(first sample, samples) for every leaf of this rank.
  template <typename Work>
  void for_my_leaves(std::int64_t samples, Work&& work) const {
    for (std::int64_t i = comm_.rank() * options_.leaf; i < samples; i += comm_.size() * options_.leaf)
      work(i, std::min(options_.leaf, samples - i));
  }

  void step() {
    sum_.clear();
    comm::agree(comm_, "training step", [&] {
      const std::int64_t first = step_ * options_.batch;
      for_my_leaves(options_.batch, [&](std::int64_t i, std::int64_t n) {
        accumulate(sampler_.training_leaf(first + i, n));
      });
    });
    std::vector<double> total = reduce();
    const double masked = total[parameters_.size() + 1];
    loss_since_row_ += total[parameters_.size()] / masked;
    const auto gradient = std::span(total).first(parameters_.size());
    for (double& g : gradient) g /= masked;
    clip_norm(gradient, options_.clip);
    optimiser_.step(parameters_.values(), gradient, learning_rate(options_.schedule, step_));
    ++step_;
  }

  void accumulate(const MaskedLeaf& leaf) {
    parameters_.clear_gradient();
    const at::Tensor loss = squared_error(config_, parameters_.weights(), leaf) / unit(options_.batch);
    torch::autograd::backward({loss}, {});
    sum_.add(parameters_.gradient());
    sum_.add(std::array{loss.item<double>(), static_cast<double>(leaf.masked_count) / unit(options_.batch)},
             parameters_.size());
  }

  std::vector<double> reduce() {
    try {
      return sum_.reduce(comm_);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::Model) throw;
      throw ModelError(fmt::format("the loss or its gradient is not finite at step {} of {}", step_ + 1,
                                   options_.schedule.steps),
                       "pretrain", "lower --lr, raise --warmup, or check the expression values for extremes");
    }
  }

  void add_row() {
    LossRow row;
    row.step = step_;
    row.tokens = tokens(step_);
    row.learning_rate = learning_rate(options_.schedule, step_ - 1);
    const std::int64_t before = curve_.empty() ? 0 : curve_.back().step;
    row.train_loss = loss_since_row_ / static_cast<double>(step_ - before);
    loss_since_row_ = 0.0;
    if (has_validation_) validate(row);
    curve_.push_back(row);
    if (!control_.curve.empty())
      comm::agree_on_root(comm_, "writing the loss curve",
                          [&] { storage::write_text_atomically(control_.curve, to_csv(curve_)); });
  }

  void validate(LossRow& row) const {
    comm::ExactSum sum(3);
    const double scale = 1.0 / unit(options_.validation_samples);
    comm::agree(comm_, "validation", [&] {
      const at::NoGradGuard no_gradients;
      for_my_leaves(options_.validation_samples, [&](std::int64_t i, std::int64_t n) {
        const MaskedLeaf leaf = sampler_.validation_leaf(i, n);
        const double error = squared_error(config_, parameters_.weights(), leaf).item<double>();
        sum.add(std::array{error * scale, baseline_squared_error(leaf) * scale,
                           static_cast<double>(leaf.masked_count) * scale});
      });
    });
    const std::vector<double> total = sum.reduce(comm_);
    row.validation_loss = total[0] / total[2];
    row.baseline = total[1] / total[2];
  }

  std::string describe() const {
    std::string text = fmt::format("step {}/{}", step_, options_.schedule.steps);
    if (curve_.empty()) return text;
    const LossRow& row = curve_.back();
    text += fmt::format(", loss {:.4g}", row.train_loss);
    if (row.validation_loss) text += fmt::format(", held out {:.4g}", *row.validation_loss);
    if (const auto share = explained(row)) text += fmt::format(" ({:.0f} % explained)", 100.0 * *share);
    return text;
  }

  Decision decide() const {
    Decision mine = Decision::Continue;
    const std::chrono::duration<double> since_save = Clock::now() - last_save_;
    if (comm_.is_root() && !control_.checkpoint.empty() &&
        since_save.count() > 60.0 * control_.checkpoint_minutes)
      mine = Decision::Save;
    if (control_.stop_requested && control_.stop_requested()) mine = Decision::Stop;
    return static_cast<Decision>(comm_.max(static_cast<int>(mine)));
  }

  void follow(Decision decision) {
    if (decision == Decision::Continue) return;
    save();
    if (decision == Decision::Stop)
      throw Interrupted(fmt::format("pretraining stopped after step {} of {}; --resume goes on from there",
                                    step_, options_.schedule.steps));
  }

  void save() {
    if (control_.checkpoint.empty()) return;
    comm::agree_on_root(comm_, "writing the checkpoint", [&] {
      const auto values = parameters_.values();
      write_checkpoint(control_.checkpoint,
                       {step_,
                        {values.begin(), values.end()},
                        optimiser_.first_moment(),
                        optimiser_.second_moment(),
                        curve_,
                        loss_since_row_},
                       job_);
    });
    last_save_ = Clock::now();
  }

  void resume() {
    TrainingState state;
    bool found = false;
    comm::agree_on_root(comm_, "reading the checkpoint", [&] {
      found = std::filesystem::exists(control_.checkpoint);
      if (found) state = read_checkpoint(control_.checkpoint, job_);
      if (found &&
          (state.values.size() != parameters_.size() || state.first_moment.size() != parameters_.size() ||
           state.second_moment.size() != parameters_.size()))
        throw ModelError("holds another number of weights", control_.checkpoint.string(),
                         "start anew with --overwrite");
    });
    comm_.broadcast_value(found);
    if (!found) return;
    broadcast(comm_, state);
    std::copy(state.values.begin(), state.values.end(), parameters_.values().begin());
    step_ = state.step;
    curve_ = std::move(state.curve);
    loss_since_row_ = state.loss_since_row;
    optimiser_.restore(step_, std::move(state.first_moment), std::move(state.second_moment));
  }

  PretrainedModel result() const {
    PretrainedModel model;
    for (const auto& [name, weight] : parameters_.weights()) model.weights[name] = weight.detach().clone();
    model.curve = curve_;
    return model;
  }

  const comm::Communicator& comm_;
  const backbone::TransformerConfig& config_;
  const PretrainOptions& options_;
  const RunControl& control_;
  Sampler sampler_;
  bool has_validation_;
  nlohmann::json job_;
  Parameters parameters_;
  AdamW optimiser_;
  comm::ExactSum sum_;
  std::int64_t step_ = 0;
  std::vector<LossRow> curve_;
  double loss_since_row_ = 0.0;
  Clock::time_point last_save_{};
};

}  // namespace

PretrainedModel pretrain(const comm::Communicator& comm, const Corpus& corpus,
                         const backbone::TransformerConfig& config, const PretrainOptions& options,
                         const RunControl& control) {
  check(options);
  return Trainer(comm, corpus, config, options, control).run();
}

}  // namespace regulus::pretrain

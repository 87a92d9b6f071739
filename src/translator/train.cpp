#include "regulus/translator/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "mlp_trainer.h"
#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/translator/checkpoint.h"
#include "regulus/translator/null_labels.h"
#include "regulus/translator/single_thread.h"

namespace regulus::translator {

namespace {

constexpr std::int64_t kMostMlps = 10000;

void require(bool holds, const char* option, const char* what) {
  if (!holds) throw OptionError(what, option);
}

void check(const PairTable& table) {
  const std::int64_t positives = table.positives();
  if (positives == 0 || positives == table.size())
    throw InputError(fmt::format("nothing to learn from {} pairs with {} positives: both classes are needed",
                                 table.size(), positives),
                     "training pairs",
                     "hold out fewer genes, or use a network with more edges among the genes");
}

/// Member 0 has the probe's own name, which is that of the only MLP of a translator without members.
std::string member_name(const std::string& probe, std::int64_t member) {
  return member == 0 ? probe : fmt::format("{}.member{}", probe, member);
}

/// What the ranks do at a look; the largest wish wins.
enum class Decision { Continue, Save, Stop };

/// One run of a training: the MLPs one after the other, those that a checkpoint holds first.
class Training {
 public:
  Training(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
           const TrainControl& control)
      : comm_(comm),
        table_(table),
        options_(options),
        control_(control),
        split_(comm::agree(comm, "choosing validation genes", [&] {
          return split_for_validation(table, options.validation_fraction, options.seed);
        })) {}

  Translator run() {
    if (control_.resume) resume();
    Progress progress("training", epochs_left(), "epochs", control_.progress);
    std::vector<ProbeModel> models;
    for (const ProbeMatrix& features : table_.features) models.push_back(train_probe(features, progress));
    TrainingRecord record;
    record.seen_genes = table_.genes();
    return {std::move(models), std::move(record)};
  }

 private:
  using Clock = std::chrono::steady_clock;

  std::size_t mlps() const {
    return table_.features.size() * static_cast<std::size_t>(options_.members + options_.nulls);
  }

  std::int64_t epochs_left() const {
    auto left = static_cast<std::int64_t>(mlps() - state_.finished.size()) * options_.epochs;
    for (const MlpState& running : state_.running)
      left -= static_cast<std::int64_t>(running.mlp.curve.train.size());
    return left;
  }

  void resume() {
    bool found = false;
    comm::agree_on_root(comm_, "reading the checkpoint", [&] {
      found = std::filesystem::exists(control_.checkpoint);
      if (!found) return;
      state_ = read_checkpoint(control_.checkpoint, control_.job);
      require_fit();
    });
    comm_.broadcast_value(found);
    if (!found) return;
    broadcast(comm_, state_);
    log::info("going on after {} of {} networks", state_.finished.size(), mlps());
  }

  /// The checkpoint's job is the right one, so only a damaged file does not fit.
  void require_fit() const {
    const auto fits = [&](std::size_t index, const std::vector<float>& parameters) {
      const auto each = static_cast<std::size_t>(options_.members + options_.nulls);
      const MlpShape shape(table_.features[index / each].width, options_.hidden);
      return static_cast<std::int64_t>(parameters.size()) == shape.parameters();
    };
    bool sound = state_.finished.size() + state_.running.size() <= mlps();
    for (std::size_t i = 0; sound && i < state_.finished.size(); ++i)
      sound = fits(i, state_.finished[i].parameters);
    for (const MlpState& running : state_.running)
      sound = sound && fits(state_.finished.size(), running.mlp.parameters) && holds_together(running);
    if (!sound)
      throw ModelError("does not hold the networks of this job", control_.checkpoint.string(),
                       "start anew with --overwrite");
  }

  bool holds_together(const MlpState& running) const {
    const std::size_t size = running.mlp.parameters.size();
    const auto pairs = static_cast<std::int64_t>(split_.train.size());
    const LossCurve& curve = running.mlp.curve;
    const std::size_t measured = split_.validation.empty() ? 0 : curve.train.size();
    return running.optimiser.first_moment.size() == size && running.optimiser.second_moment.size() == size &&
           running.best.size() == (measured > 0 ? size : 0) && curve.validation.size() == measured &&
           curve.best_epoch >= 0 && curve.best_epoch < std::max<std::int64_t>(1, std::ssize(curve.train)) &&
           running.batches >= 0 && running.batches <= pairs / options_.batch;
  }

  ProbeModel train_probe(const ProbeMatrix& features, Progress& progress) {
    ProbeModel model{features.probe, {}, MlpShape(features.width, options_.hidden), {}, {}};
    const at::Tensor inputs = comm::agree(comm_, "preparing the training pairs", [&] {
      model.standardiser =
          Standardiser::fit(features.values, features.width, split_.train, options_.transform);
      return standardised(model.standardiser, features);
    });
    for (std::int64_t m = 0; m < options_.members; ++m)
      model.members.push_back(train_mlp(member_name(features.probe, m), inputs, table_.label, progress));
    for (std::int64_t n = 0; n < options_.nulls; ++n)
      model.nulls.push_back(train_mlp(fmt::format("{}.null{}", features.probe, n), inputs,
                                      null_labels(table_.label, split_, options_.seed, n), progress));
    return model;
  }

  TrainedMlp train_mlp(const std::string& name, const at::Tensor& inputs,
                       const std::vector<std::uint8_t>& labels, Progress& progress) {
    if (next_ < state_.finished.size()) return state_.finished[next_++];
    Examples examples = comm::agree(comm_, "preparing the training pairs", [&] {
      return make_examples(inputs, labels, split_, options_.class_weights);
    });
    MlpTrainer trainer(comm_, std::move(examples), split_, options_, name);
    if (!state_.running.empty()) trainer.restore(std::move(state_.running.front()));
    state_.running.clear();
    ++next_;
    state_.finished.push_back(trainer.run(progress, [&](bool epoch_end) { look(trainer, epoch_end); }));
    return state_.finished.back();
  }

  void look(const MlpTrainer& trainer, bool epoch_end) {
    if (next_ == mlps() && trainer.finished()) return;
    const Decision decision = decide(epoch_end);
    if (decision == Decision::Continue) return;
    save(trainer);
    if (decision == Decision::Stop)
      throw Interrupted(
          fmt::format("training stopped in network {} of {}; --resume goes on from there", next_, mlps()));
  }

  Decision decide(bool epoch_end) const {
    Decision mine = Decision::Continue;
    const std::chrono::duration<double> since_save = Clock::now() - last_save_;
    const bool every_epoch = control_.checkpoint_minutes == 0.0;
    if (comm_.is_root() && !control_.checkpoint.empty() && (epoch_end || !every_epoch) &&
        since_save.count() >= 60.0 * control_.checkpoint_minutes)
      mine = Decision::Save;
    if (control_.stop_requested && control_.stop_requested()) mine = Decision::Stop;
    return static_cast<Decision>(comm_.max(static_cast<int>(mine)));
  }

  void save(const MlpTrainer& trainer) {
    if (control_.checkpoint.empty()) return;
    comm::agree_on_root(comm_, "writing the checkpoint", [&] {
      write_checkpoint(control_.checkpoint, {state_.finished, {trainer.state()}}, control_.job);
    });
    last_save_ = Clock::now();
  }

  const comm::Communicator& comm_;
  const PairTable& table_;
  const TrainOptions& options_;
  const TrainControl& control_;
  TrainingSplit split_;
  TrainingState state_;
  std::size_t next_ = 0;  ///< MLPs taken from the checkpoint or begun
  Clock::time_point last_save_ = Clock::now();
};

}  // namespace

void check(const TrainOptions& options) {
  const auto positive = [](std::int64_t value) { return value > 0; };
  require(std::all_of(options.hidden.begin(), options.hidden.end(), positive), "--hidden",
          "widths must be positive");
  require(options.epochs > 0, "--epochs", "must be positive");
  require(options.batch > 0, "--batch", "must be positive");
  require(options.leaf > 0, "--leaf", "must be positive");
  require(options.learning_rate > 0.0, "--lr", "must be positive");
  require(options.weight_decay >= 0.0, "--weight-decay", "must not be negative");
  require(options.validation_fraction >= 0.0 && options.validation_fraction < 1.0, "--validation",
          "must be at least 0 and below 1");
  require(options.patience > 0, "--patience", "must be positive");
  require(options.members > 0 && options.members <= kMostMlps, "--members", "must be between 1 and 10000");
  require(options.nulls >= 0 && options.nulls <= kMostMlps, "--null", "must be between 0 and 10000");
}

Translator train(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
                 const TrainControl& control) {
  check(options);
  check(table);
  const SingleThread one;
  return Training(comm, table, options, control).run();
}

Translator train(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
                 bool show_progress) {
  return train(comm, table, options, TrainControl{.progress = show_progress});
}

}  // namespace regulus::translator

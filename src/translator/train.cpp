#include "regulus/translator/train.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "probe_trainer.h"
#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/translator/single_thread.h"

namespace regulus::translator {

namespace {

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
}

Translator train(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
                 bool show_progress) {
  check(options);
  check(table);
  const SingleThread one;
  const TrainingSplit split = comm::agree(comm, "choosing validation genes", [&] {
    return split_for_validation(table, options.validation_fraction, options.seed);
  });
  Progress progress("training", options.epochs * static_cast<std::int64_t>(table.features.size()), "epochs",
                    show_progress);
  std::vector<ProbeModel> models;
  for (const ProbeMatrix& features : table.features) {
    auto trainer = comm::agree(comm, "preparing the training pairs", [&] {
      return std::make_unique<ProbeTrainer>(comm, table, features, split, options);
    });
    models.push_back(trainer->run(progress));
  }
  TrainingRecord record;
  record.seen_genes = table.genes();
  return {std::move(models), std::move(record)};
}

}  // namespace regulus::translator

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/translator/translator.h"

namespace regulus::translator {

struct TrainOptions {
  std::vector<std::int64_t> hidden{64, 64};
  std::int64_t epochs = 200;
  std::int64_t batch = 256;  ///< pairs per optimiser step
  std::int64_t leaf =
      64;  ///< pairs per unit of work of a rank; part of the result's last bits, unlike the ranks
  double learning_rate = 1e-3;
  double weight_decay = 1e-4;
  /// Share of the genes whose pairs serve early stopping instead of training; 0: train all epochs on all
  /// pairs.
  double validation_fraction = 0.1;
  std::int64_t patience = 20;  ///< epochs without a better validation loss before stopping
  bool class_weights = true;   ///< positives and negatives weigh the same in total
  Transform transform = Transform::Asinh;
  std::uint64_t seed = 0;
  std::int64_t members = 1;  ///< MLPs per probe, which differ in start weights and order of the pairs
  std::int64_t nulls = 0;    ///< MLPs per probe trained on shuffled labels, see null_labels()
};

/// How one run of a training goes about it: changes nothing in the translator.
struct TrainControl {
  std::filesystem::path checkpoint{};      ///< file to write to and resume from; empty for none
  double checkpoint_minutes = 10.0;        ///< wall time between checkpoints; 0: after every epoch
  bool resume = false;                     ///< go on from the checkpoint if there is one
  nlohmann::json job{};                    ///< what must be equal for a checkpoint to be continued
  std::function<bool()> stop_requested{};  ///< asked on every rank; may differ between ranks
  bool progress = false;
};

/// Refuses options that make no sense. \throws OptionError naming the option
void check(const TrainOptions& options);

/// Trains the MLPs of every probe of the table, members, then nulls, with binary cross-entropy and AdamW.
/// Every minibatch is cut into fixed leaves; the ranks share the leaves and sum the gradients exactly, so the
/// result has the same bits for any number of ranks and threads, and for a run that was interrupted and
/// resumed.
///
/// Early stopping, of each MLP by itself, looks at the pairs with at least one validation gene; none of them
/// is trained on, nor enters the standardiser. Where the table is too small for that (either part would lack
/// positives or negatives) it is left out, which the log says.
/// \param table the same on every rank
/// \return with the record's seen_genes filled in; the rest of the record is the caller's
/// \throws InputError if the table lacks positives or negatives; ModelError if the loss diverges; OptionError
/// if the checkpoint to resume belongs to another job; StorageError; Interrupted, with a checkpoint written,
/// within an epoch or some steps after a rank was asked to stop
/// \collective yes
Translator train(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
                 const TrainControl& control);

/// The same in one go, without checkpoints. \collective yes
Translator train(const comm::Communicator& comm, const PairTable& table, const TrainOptions& options,
                 bool show_progress);

}  // namespace regulus::translator

#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "regulus/core/progress.h"
#include "regulus/translator/adamw.h"
#include "regulus/translator/train.h"
#include "regulus/translator/validation.h"

namespace regulus::translator {

/// Trains the MLP of one probe. Every rank holds all examples; what is shared are the leaves of each
/// minibatch.
class ProbeTrainer {
 public:
  ProbeTrainer(const comm::Communicator& comm, const PairTable& table, const ProbeMatrix& features,
               const TrainingSplit& split, const TrainOptions& options);

  /// \collective yes
  ProbeModel run(Progress& progress);

 private:
  struct Leaf {
    at::Tensor inputs, labels, weights;
  };

  double total_weight(std::span<const std::int64_t> pairs) const;
  Leaf leaf(std::span<const std::int64_t> pairs) const;
  at::Tensor parameters();
  double train_step(std::span<const std::int64_t> batch, AdamW& optimiser);
  double train_epoch(std::int64_t epoch, AdamW& optimiser);
  double validation_loss();
  /// True if the epoch just finished is the best so far.
  bool note_losses(double train, double validation);

  const comm::Communicator& comm_;
  const TrainOptions& options_;
  const TrainingSplit& split_;
  ProbeModel model_;
  at::Tensor inputs_, labels_, weights_;  ///< of all pairs of the table
};

}  // namespace regulus::translator

#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "regulus/core/progress.h"
#include "regulus/translator/adamw.h"
#include "regulus/translator/checkpoint.h"
#include "regulus/translator/train.h"
#include "regulus/translator/validation.h"

namespace regulus::translator {

/// What one MLP learns from; every rank holds all of it.
struct Examples {
  at::Tensor inputs;   ///< [pairs, width], standardised
  at::Tensor labels;   ///< [pairs]
  at::Tensor weights;  ///< [pairs]
};

at::Tensor standardised(const Standardiser& standardiser, const ProbeMatrix& features);

/// \param by_class weights that give both classes of the training part the same total, instead of 1
Examples make_examples(const at::Tensor& inputs, const std::vector<std::uint8_t>& labels,
                       const TrainingSplit& split, bool by_class);

/// Trains one MLP. What the ranks share are the leaves of each minibatch.
class MlpTrainer {
 public:
  /// Where a run can be left and taken up again. \param epoch_end whether an epoch has just ended
  using Look = std::function<void(bool epoch_end)>;

  /// \param name of the MLP, to which its random numbers belong
  MlpTrainer(const comm::Communicator& comm, Examples examples, const TrainingSplit& split,
             const TrainOptions& options, std::string name);

  MlpState state() const;
  void restore(MlpState state);
  bool finished() const;

  /// Goes on until finished, with a look after every epoch and every few steps. \collective yes
  TrainedMlp run(Progress& progress, const Look& look);

 private:
  double total_weight(std::span<const std::int64_t> pairs) const;
  Examples leaf(std::span<const std::int64_t> pairs) const;
  MlpShape shape() const;
  at::Tensor parameters();
  std::vector<std::int64_t> epoch_order() const;
  bool step();
  double train_step(std::span<const std::int64_t> batch);
  void end_epoch();
  double validation_loss();
  void note_losses(double train, double validation);

  const comm::Communicator& comm_;
  const TrainingSplit& split_;
  const TrainOptions& options_;
  std::string name_;
  Examples examples_;
  MlpState state_;  ///< but for the optimiser's
  AdamW optimiser_;
  std::vector<std::int64_t> order_;  ///< of the present epoch; empty between epochs
};

}  // namespace regulus::translator

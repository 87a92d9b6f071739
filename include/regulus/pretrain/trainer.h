#pragma once

#include <vector>

#include "regulus/backbone/weights.h"
#include "regulus/comm/communicator.h"
#include "regulus/pretrain/corpus.h"
#include "regulus/pretrain/loss_curve.h"
#include "regulus/pretrain/options.h"

namespace regulus::pretrain {

struct PretrainedModel {
  backbone::StateDict weights;  ///< float32, without gradients
  std::vector<LossRow> curve;
};

/// Trains a transformer from its start weights to predict masked expression values of a panel from the
/// visible ones: mean squared error at the masked positions, AdamW with clipped gradients. A step's samples
/// are cut into leaves, which the ranks share; gradients are summed exactly, so weights are the same bytes
/// for any number of ranks (with the same threads per rank), and for a run that was interrupted and resumed.
/// \param corpus the same on every rank \param config its vocabulary must be the corpus's \throws ModelError
/// if the loss is not finite; OptionError if the checkpoint to resume belongs to another job;
///         Interrupted after writing a checkpoint when a rank was asked to stop; StorageError
/// \collective yes; per step one reduction of all gradients and four of an integer
PretrainedModel pretrain(const comm::Communicator& comm, const Corpus& corpus,
                         const backbone::TransformerConfig& config, const PretrainOptions& options,
                         const RunControl& control);

}  // namespace regulus::pretrain

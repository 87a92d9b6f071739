#pragma once

#include "evaluate_data.h"

namespace regulus::app {

/// Writes `<out>/edges_<data set>.csv`: every TF x gene pair of the features, without self pairs, with the
/// probability that the translator's ensemble gives it, best first, in BEELINE's layout
/// (Gene1,Gene2,EdgeWeight). \throws StorageError if it cannot be written \collective yes
void write_edges(const comm::Communicator& world, const EvaluateJob& job, const EvaluateInputs& inputs,
                 const EvaluateData& data);

}  // namespace regulus::app

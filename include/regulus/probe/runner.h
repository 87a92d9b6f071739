#pragma once

#include "regulus/backbone/backbone.h"
#include "regulus/comm/communicator.h"
#include "regulus/core/progress.h"
#include "regulus/probe/probe_job.h"
#include "regulus/storage/feature_store.h"

namespace regulus::probe {

/// Columns of each feature that the job asks for, in the order of the feature store.
/// \param embedding_width d of the model, the width of `emb`
std::vector<storage::ProbeColumns> feature_columns(const ProbeJob& job, std::int64_t embedding_width);

/// Computes every tile and writes it. The units of a round's tiles (source block x cell block) are spread
/// over the ranks; each tile's sums meet on one rank, and all ranks write the round in one collective
/// transfer. The features depend on the job, the model and the threads per rank alone. \param progress counts
/// this rank's units \throws the same error on every rank \collective yes
void run(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
         storage::FeatureStoreWriter& store, Progress& progress);

/// Units of work that run() gives to this rank.
std::int64_t units_of_rank(const comm::Communicator& comm, const ProbeJob& job);

}  // namespace regulus::probe

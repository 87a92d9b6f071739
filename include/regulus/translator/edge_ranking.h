#pragma once

#include <cstdint>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/core/progress.h"
#include "regulus/storage/edge_store.h"
#include "regulus/storage/feature_store.h"

namespace regulus::translator {

/// The K targets of a source with the highest logits, best first; equal logits by the target's number.
/// \param logits [G]; NaN is no candidate \return at most `count` targets
std::vector<std::int32_t> best_targets(const std::vector<float>& logits, std::int64_t count);

/// Reads the scores of all pairs, source by source, and writes the best edges of each source, and all scores
/// if the edge store wants them. The ranks rank blocks of sources, and rank 0 writes them in order. Memory
/// does not grow with the number of sources.
/// \param scores complete, with the columns of score_columns() \param nulls null translators behind its
/// counts \param edges of rank 0; none on the others \throws the same error on every rank \collective yes
void rank_edges(const comm::Communicator& comm, const storage::FeatureStore& scores, std::int64_t nulls,
                storage::EdgeStoreWriter* edges, const storage::EdgeStoreHeader& header, Progress& progress);

}  // namespace regulus::translator

#pragma once

#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// Emb of one tile: E_i + E_j of every source and target. \return [sources, targets of the block, d], float32
std::vector<float> embedding_sums(const backbone::Backbone& model, const ProbeJob& job,
                                  const storage::TileBlock& block);

}  // namespace regulus::probe

#pragma once

#include <cstdint>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// Emb of one tile: E_i + E_j of every source and gene. \return [sources of the tile, G, d], float32
std::vector<float> embedding_sums(const backbone::Backbone& model, const ProbeJob& job, std::int64_t tile);

}  // namespace regulus::probe

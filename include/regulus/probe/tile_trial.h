#pragma once

#include <cstddef>
#include <functional>

#include "regulus/backbone/backbone.h"
#include "regulus/probe/probe_job.h"
#include "regulus/storage/feature_store.h"

namespace regulus::probe {

/// What a part of a job's first tile took when it was tried on this rank.
struct TileTrial {
  double job_s = 0.0;  ///< one rank's time for all tiles, extrapolated by the work of each kind of pass
  double gflops_per_s = 0.0;        ///< necessary work per time, over the trial
  std::size_t workspace_bytes = 0;  ///< that passes keep from panel to panel
};

/// Computes a row of every kind against some sources of the first tile, as many as take up to about half a
/// minute, and turns their features into what is stored. \param finish see RunControl \collective no
TileTrial try_tile(
    const backbone::Backbone& model, const ProbeJob& job,
    const std::function<storage::FeatureStoreWriter::Tile(storage::FeatureStoreWriter::Tile)>& finish);

}  // namespace regulus::probe

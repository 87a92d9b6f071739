#pragma once

#include <vector>

#include "regulus/probe/probe_job.h"
#include "regulus/storage/feature_store.h"

namespace regulus::probe {

/// Columns of each feature that the job asks for, in the order of the feature store.
/// \param embedding_width d of the model, the width of `emb`
std::vector<storage::ProbeColumns> feature_columns(const ProbeJob& job, std::int64_t embedding_width);

}  // namespace regulus::probe

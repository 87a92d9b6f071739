#include "embedding_sums.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace regulus::probe {

std::vector<float> embedding_sums(const backbone::Backbone& model, const ProbeJob& job, std::int64_t tile) {
  const std::int64_t first = tile * job.sources_per_tile;
  const std::int64_t count = std::min(job.sources_per_tile, job.source_count() - first);
  const at::Tensor genes = model.embeddings(at::tensor(job.gene_ids));
  const at::Tensor sources = genes.index_select(0, at::tensor(job.sources).narrow(0, first, count));
  const at::Tensor sums = (sources.unsqueeze(1) + genes.unsqueeze(0)).to(at::kFloat).contiguous();
  const float* values = sums.data_ptr<float>();
  return {values, values + sums.numel()};
}

}  // namespace regulus::probe

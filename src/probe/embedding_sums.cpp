#include "embedding_sums.h"

#include <ATen/ATen.h>

namespace regulus::probe {

std::vector<float> embedding_sums(const backbone::Backbone& model, const ProbeJob& job,
                                  const storage::TileBlock& block) {
  const at::Tensor ids = at::tensor(job.gene_ids);
  const at::Tensor source_ids =
      ids.index_select(0, at::tensor(job.sources).narrow(0, block.source_begin, block.source_count));
  const at::Tensor sources = model.embeddings(source_ids);
  const at::Tensor targets = model.embeddings(ids.narrow(0, block.target_begin, block.target_count));
  const at::Tensor sums = (sources.unsqueeze(1) + targets.unsqueeze(0)).to(at::kFloat).contiguous();
  const float* values = sums.data_ptr<float>();
  return {values, values + sums.numel()};
}

}  // namespace regulus::probe

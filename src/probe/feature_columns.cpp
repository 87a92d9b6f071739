#include "regulus/probe/feature_columns.h"

namespace regulus::probe {

namespace {

/// The standard deviation over the backgrounds of every feature that is averaged over them.
void add_spreads(const ProbeJob& job, std::vector<storage::ProbeColumns>& columns) {
  std::vector<storage::ProbeColumns> spreads;
  for (const auto& column : columns)
    if (column.name == "vvp" || (column.name == "gdt" && !job.uniform) || column.name == "attn")
      spreads.push_back({column.name + "_sd", column.width,
                         "standard deviation of " + column.name + " over the backgrounds"});
  columns.insert(columns.end(), spreads.begin(), spreads.end());
}

}  // namespace

std::vector<storage::ProbeColumns> feature_columns(const ProbeJob& job, std::int64_t embedding_width) {
  std::vector<storage::ProbeColumns> columns;
  if (job.vvp)
    columns.push_back({"vvp", static_cast<std::int64_t>(job.perturbation_grid.size()),
                       "virtual value perturbation at each value of the perturbation grid"});
  if (job.gdt)
    columns.push_back({"gdt", static_cast<std::int64_t>(job.gradient_grid.size()),
                       "gradient trajectory at each value of the gradient grid"});
  if (job.osg)
    columns.push_back(
        {"osg", 4, "observed-state gradient J over cells: mean, mean |J|, standard deviation, mean J x"});
  if (job.pert)
    columns.push_back({"pert", 1, "prediction at the mean of the cells minus that with the source at 0"});
  if (job.attn)
    columns.push_back({"attn", job.attention_width, "attention that the target's query pays to the source"});
  if (job.emb)
    columns.push_back({"emb", embedding_width, "sum of the model's gene embeddings of source and target"});
  if (job.spread) add_spreads(job, columns);
  return columns;
}

}  // namespace regulus::probe

#include "regulus/probe/runner.h"

#include <algorithm>
#include <deque>

#include "embedding_sums.h"
#include "regulus/comm/agree.h"
#include "regulus/probe/tile_features.h"

namespace regulus::probe {

namespace {

/// Tiles whose sums are held at once: enough units for every rank, bounded memory.
std::int64_t tiles_per_round(const comm::Communicator& comm, const ProbeJob& job) {
  constexpr std::int64_t kUnitsPerRank = 4;
  constexpr std::int64_t kMostTiles = 256;
  const auto units = static_cast<std::int64_t>(units_of_tile(job, 0).size());
  return std::clamp<std::int64_t>(kUnitsPerRank * comm.size() / std::max<std::int64_t>(units, 1), 1,
                                  kMostTiles);
}

/// The units of tiles [first, last) that this rank computes: every size-th.
std::vector<Unit> units_of_round(const comm::Communicator& comm, const ProbeJob& job, std::int64_t first,
                                 std::int64_t last) {
  std::vector<Unit> mine;
  std::int64_t index = 0;
  for (std::int64_t tile = first; tile < last; ++tile)
    for (const Unit& unit : units_of_tile(job, tile))
      if (index++ % comm.size() == comm.rank()) mine.push_back(unit);
  return mine;
}

class Round {
 public:
  Round(const comm::Communicator& comm, const ProbeJob& job, std::int64_t first, std::int64_t last)
      : comm_(comm), job_(job), first_(first), units_(units_of_round(comm, job, first, last)) {
    for (std::int64_t tile = first; tile < last; ++tile) features_.emplace_back(job, tile);
  }

  void compute(const backbone::Backbone& model, Progress& progress) {
    comm::agree(comm_, "probing", [&] {
      for (const Unit& unit : units_) {
        features_[static_cast<std::size_t>(unit.tile - first_)].add(model, unit);
        progress.advance(1);
      }
    });
  }

  /// The finished tiles that this rank writes.
  std::vector<storage::FeatureStoreWriter::Tile> reduce(const backbone::Backbone& model) {
    std::vector<storage::FeatureStoreWriter::Tile> mine;
    for (std::size_t k = 0; k < features_.size(); ++k) {
      const std::int64_t tile = first_ + static_cast<std::int64_t>(k);
      const int owner = static_cast<int>(tile % comm_.size());
      auto features = features_[k].reduce(comm_, owner);
      if (comm_.rank() != owner) continue;
      if (job_.emb) features["emb"] = embedding_sums(model, job_, tile);
      mine.push_back({tile, std::move(features)});
    }
    return mine;
  }

 private:
  const comm::Communicator& comm_;
  const ProbeJob& job_;
  std::int64_t first_;
  std::vector<Unit> units_;
  std::deque<TileFeatures> features_;
};

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

std::int64_t units_of_rank(const comm::Communicator& comm, const ProbeJob& job) {
  const std::int64_t step = tiles_per_round(comm, job);
  std::int64_t total = 0;
  for (std::int64_t first = 0; first < job.tile_count(); first += step)
    total += static_cast<std::int64_t>(
        units_of_round(comm, job, first, std::min(first + step, job.tile_count())).size());
  return total;
}

void run(const comm::Communicator& comm, const backbone::Backbone& model, const ProbeJob& job,
         storage::FeatureStoreWriter& store, Progress& progress) {
  const std::int64_t step = tiles_per_round(comm, job);
  for (std::int64_t first = 0; first < job.tile_count(); first += step) {
    Round round(comm, job, first, std::min(first + step, job.tile_count()));
    round.compute(model, progress);
    store.write_round(round.reduce(model));
  }
}

}  // namespace regulus::probe

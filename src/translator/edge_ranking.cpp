#include "regulus/translator/edge_ranking.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "regulus/comm/agree.h"
#include "regulus/translator/false_discovery.h"
#include "regulus/translator/translator.h"
#include "score_layout.h"

namespace regulus::translator {

namespace {

/// Scores that a rank reads at once, at most.
constexpr std::int64_t kBlockValues = std::int64_t{1} << 22U;

/// The scores of some consecutive sources.
struct ScoreBlock {
  std::vector<float> logit, spread;  ///< [n, G]
};

class Ranking {
 public:
  /// \param false_discovery by the bin of a logit, or empty
  Ranking(const storage::EdgeStoreHeader& header, std::vector<float> false_discovery)
      : header_(header),
        targets_(static_cast<std::int64_t>(header.targets.size())),
        false_discovery_(std::move(false_discovery)) {}

  storage::EdgeRows rank(const ScoreBlock& block) const {
    storage::EdgeRows rows;
    for (auto row = block.logit.begin(); row != block.logit.end(); row += targets_) {
      const std::vector<float> logits(row, row + targets_);
      add(rows, logits, block.spread.data() + (block.spread.empty() ? 0 : row - block.logit.begin()));
    }
    return rows;
  }

 private:
  void add(storage::EdgeRows& rows, const std::vector<float>& logits, const float* spread) const {
    for (const std::int32_t target : best_targets(logits, header_.edges_per_source)) {
      const float logit = logits[static_cast<std::size_t>(target)];
      rows.target.push_back(target);
      rows.score.push_back(probability(logit));
      if (header_.spread) rows.spread.push_back(spread[target]);
      if (header_.false_discovery)
        rows.false_discovery.push_back(
            false_discovery_[static_cast<std::size_t>(LogitHistogram::bin_of(logit))]);
    }
    if (header_.matrix == storage::ScoreMatrix::None) return;
    for (const float logit : logits) rows.matrix.push_back(std::isnan(logit) ? logit : probability(logit));
  }

  const storage::EdgeStoreHeader& header_;
  std::int64_t targets_;
  std::vector<float> false_discovery_;
};

std::vector<float> false_discovery(const comm::Communicator& comm, const storage::FeatureStore& scores,
                                   std::int64_t nulls, const storage::EdgeStoreHeader& header) {
  std::vector<float> by_bin;
  if (!header.false_discovery) return by_bin;
  comm::agree_on_root(comm, "counting scores", [&] {
    by_bin = false_discovery_by_bin(scores.sum_tile_columns(layout::kObserved),
                                    scores.sum_tile_columns(layout::kNull), nulls);
  });
  comm.broadcast(by_bin);
  return by_bin;
}

/// Sources of a block: whole rows of tiles, so that no tile is read twice, and a block for every rank.
std::int64_t sources_at_once(const storage::FeatureStore& scores, int ranks) {
  const storage::TilePlan tiles = scores.header().plan();
  const std::int64_t row = tiles.block(0).source_count;
  const std::int64_t for_memory = kBlockValues / tiles.targets;
  const std::int64_t for_ranks = (tiles.sources + ranks - 1) / ranks;
  return std::max<std::int64_t>(1, std::min(for_memory, for_ranks) / row) * row;
}

ScoreBlock read(const storage::FeatureStore& scores, std::int64_t begin, std::int64_t count, bool spread) {
  ScoreBlock block{scores.read_sources(layout::kLogit, begin, count), {}};
  if (spread) block.spread = scores.read_sources(layout::kSpread, begin, count);
  return block;
}

/// Afterwards rank 0 has the rows of `rank`.
void bring_to_root(const comm::Communicator& comm, storage::EdgeRows& rows, int rank) {
  const auto bring = [&](auto& values) {
    if (comm.is_root()) comm.receive(values, rank);
    if (comm.rank() == rank) comm.send(values, 0);
  };
  if (rank == 0) return;
  bring(rows.target);
  bring(rows.score);
  bring(rows.spread);
  bring(rows.false_discovery);
  bring(rows.matrix);
}

}  // namespace

std::vector<std::int32_t> best_targets(const std::vector<float>& logits, std::int64_t count) {
  std::vector<std::int32_t> targets;
  for (std::size_t j = 0; j < logits.size(); ++j)
    if (!std::isnan(logits[j])) targets.push_back(static_cast<std::int32_t>(j));
  const auto kept = std::min(targets.size(), static_cast<std::size_t>(count));
  const auto better = [&](std::int32_t a, std::int32_t b) {
    const float x = logits[static_cast<std::size_t>(a)];
    const float y = logits[static_cast<std::size_t>(b)];
    return x != y ? x > y : a < b;
  };
  std::partial_sort(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(kept), targets.end(),
                    better);
  targets.resize(kept);
  return targets;
}

void rank_edges(const comm::Communicator& comm, const storage::FeatureStore& scores, std::int64_t nulls,
                storage::EdgeStoreWriter* edges, const storage::EdgeStoreHeader& header, Progress& progress) {
  const Ranking ranking(header, false_discovery(comm, scores, nulls, header));
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  const std::int64_t step = sources_at_once(scores, comm.size());
  for (std::int64_t begin = 0; begin < sources; begin += step * comm.size()) {
    const std::int64_t mine = begin + step * comm.rank();
    storage::EdgeRows rows = comm::agree(comm, "ranking", [&] {
      if (mine >= sources) return storage::EdgeRows{};
      return ranking.rank(read(scores, mine, std::min(step, sources - mine), header.spread));
    });
    for (int rank = 0; rank < comm.size() && begin + step * rank < sources; ++rank) {
      bring_to_root(comm, rows, rank);
      comm::agree_on_root(comm, "writing edges", [&] { edges->append(rows); });
      progress.advance(std::min(step, sources - begin - step * rank));
    }
  }
}

}  // namespace regulus::translator

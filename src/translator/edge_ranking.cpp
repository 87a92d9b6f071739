#include "regulus/translator/edge_ranking.h"

#include <algorithm>
#include <cmath>

#include "regulus/translator/false_discovery.h"
#include "regulus/translator/translator.h"
#include "score_layout.h"

namespace regulus::translator {

namespace {

/// Scores read at once.
constexpr std::int64_t kBlockValues = std::int64_t{1} << 22U;

/// The scores of some consecutive sources.
struct ScoreBlock {
  std::vector<float> logit, spread;  ///< [n, G]
};

class Ranking {
 public:
  Ranking(const storage::FeatureStore& scores, std::int64_t nulls, const storage::EdgeStoreHeader& header)
      : header_(header), targets_(static_cast<std::int64_t>(header.targets.size())) {
    if (header.false_discovery)
      false_discovery_ = false_discovery_by_bin(scores.sum_tile_columns(layout::kObserved),
                                                scores.sum_tile_columns(layout::kNull), nulls);
  }

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

void rank_edges(const storage::FeatureStore& scores, std::int64_t nulls, storage::EdgeStoreWriter& edges,
                const storage::EdgeStoreHeader& header, Progress& progress) {
  const Ranking ranking(scores, nulls, header);
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  const auto targets = static_cast<std::int64_t>(header.targets.size());
  const std::int64_t step = std::max<std::int64_t>(1, kBlockValues / targets);
  for (std::int64_t begin = 0; begin < sources; begin += step) {
    const std::int64_t count = std::min(step, sources - begin);
    ScoreBlock block{scores.read_sources(layout::kLogit, begin, count), {}};
    if (header.spread) block.spread = scores.read_sources(layout::kSpread, begin, count);
    edges.append(ranking.rank(block));
    progress.advance(count);
  }
}

}  // namespace regulus::translator

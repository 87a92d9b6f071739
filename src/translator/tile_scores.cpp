#include "regulus/translator/tile_scores.h"

#include <cmath>
#include <limits>
#include <utility>

#include "regulus/translator/false_discovery.h"
#include "score_layout.h"

namespace regulus::translator {

namespace {

/// Removes some elements; `positions` increase.
std::vector<float> without(const std::vector<float>& values, const std::vector<std::size_t>& positions) {
  std::vector<float> rest;
  rest.reserve(values.size());
  auto next = positions.begin();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (next != positions.end() && *next == i)
      ++next;
    else
      rest.push_back(values[i]);
  }
  return rest;
}

std::vector<std::int64_t> histogram(const std::vector<float>& logits) {
  LogitHistogram counts;
  counts.add(logits);
  return counts.counts();
}

}  // namespace

std::vector<storage::ProbeColumns> score_columns(const ScoreOptions& options) {
  std::vector<storage::ProbeColumns> columns{{layout::kLogit, 1, "logit of the edge, NaN for self pairs"}};
  if (options.spread)
    columns.push_back({layout::kSpread, 1, "standard deviation of the logit over the ensemble's members"});
  return columns;
}

std::vector<storage::TileColumns> score_counts(const ScoreOptions& options) {
  if (!options.false_discovery) return {};
  return {{layout::kObserved, LogitHistogram::kBins, "histogram of the pairs' logits"},
          {layout::kNull, LogitHistogram::kBins, "histogram of the logits of the null translators"}};
}

TileTranslator::TileTranslator(const Translator& translator, const ScoreOptions& options,
                               std::vector<std::int64_t> source_targets)
    : translator_(translator), options_(options), source_targets_(std::move(source_targets)) {}

std::vector<std::size_t> TileTranslator::self_pairs(const storage::TileBlock& block) const {
  std::vector<std::size_t> pairs;
  for (std::int64_t s = 0; s < block.source_count; ++s) {
    const std::int64_t target =
        source_targets_[static_cast<std::size_t>(block.source_begin + s)] - block.target_begin;
    if (target >= 0 && target < block.target_count)
      pairs.push_back(static_cast<std::size_t>(s * block.target_count + target));
  }
  return pairs;
}

storage::FeatureStoreWriter::Tile TileTranslator::operator()(storage::FeatureStoreWriter::Tile features,
                                                             const storage::TileBlock& block) const {
  std::vector<ProbeMatrix> matrices;
  const auto pairs = static_cast<std::size_t>(block.source_count * block.target_count);
  for (const std::string& probe : translator_.probes()) {
    std::vector<float>& values = features.features.at(probe);
    const auto width = static_cast<std::int64_t>(values.size() / pairs);
    matrices.push_back({probe, width, std::move(values)});
  }
  Prediction scores = translator_.predict(matrices, {options_.spread, options_.false_discovery});
  storage::FeatureStoreWriter::Tile tile;
  tile.index = features.index;
  const std::vector<std::size_t> self = self_pairs(block);
  if (options_.false_discovery) {
    tile.counts[layout::kObserved] = histogram(without(scores.logit, self));
    std::vector<std::size_t> null_self;
    for (std::size_t begin = 0; begin < scores.null.size(); begin += pairs)
      for (const std::size_t pair : self) null_self.push_back(begin + pair);
    tile.counts[layout::kNull] = histogram(without(scores.null, null_self));
  }
  for (const std::size_t pair : self) scores.logit[pair] = std::numeric_limits<float>::quiet_NaN();
  tile.features[layout::kLogit] = std::move(scores.logit);
  if (options_.spread) tile.features[layout::kSpread] = std::move(scores.spread);
  return tile;
}

}  // namespace regulus::translator

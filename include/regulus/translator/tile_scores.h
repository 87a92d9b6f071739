#pragma once

#include <cstdint>
#include <vector>

#include "regulus/storage/feature_store.h"
#include "regulus/translator/translator.h"

namespace regulus::translator {

/// What the scores of a run carry beside the logit.
struct ScoreOptions {
  bool spread = false;           ///< standard deviation over the members of the ensemble
  bool false_discovery = false;  ///< counts of logits, of the pairs and of the null translators
};

/// Columns of the working file that holds the scores of all pairs until they are ranked.
std::vector<storage::ProbeColumns> score_columns(const ScoreOptions& options);
std::vector<storage::TileColumns> score_counts(const ScoreOptions& options);

/// Turns the features of tiles into scores.
class TileTranslator {
 public:
  /// \param source_targets of every source, its number among the targets: self pairs have no score
  TileTranslator(const Translator& translator, const ScoreOptions& options,
                 std::vector<std::int64_t> source_targets);

  /// \param features of the pairs of `block`, by the names of the translator's probes
  /// \return logits (NaN for self pairs), and what else was asked for; the same bits for every cut into tiles
  storage::FeatureStoreWriter::Tile operator()(storage::FeatureStoreWriter::Tile features,
                                               const storage::TileBlock& block) const;

 private:
  std::vector<std::size_t> self_pairs(const storage::TileBlock& block) const;

  const Translator& translator_;
  ScoreOptions options_;
  std::vector<std::int64_t> source_targets_;
};

}  // namespace regulus::translator

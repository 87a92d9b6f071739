// From the features of tiles to ranked edges.
#include "regulus/translator/edge_ranking.h"

#include <gtest/gtest.h>

#include <cmath>

#include "regulus/comm/communicator.h"
#include "regulus/core/random.h"
#include "regulus/translator/false_discovery.h"
#include "regulus/translator/tile_scores.h"
#include "support/temp_folder.h"

namespace regulus::translator {
namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

TEST(BestTargets, AreTheHighestAndEqualOnesByTheirNumber) {
  EXPECT_EQ(best_targets({0.5F, 2.0F, kNone, 2.0F, -1.0F}, 3), (std::vector<std::int32_t>{1, 3, 0}));
  EXPECT_EQ(best_targets({0.5F, 2.0F, kNone, 2.0F, -1.0F}, 9), (std::vector<std::int32_t>{1, 3, 0, 4}));
  EXPECT_EQ(best_targets({kNone}, 2), std::vector<std::int32_t>{});
}

/// 4 sources among 6 targets; one probe of two features that are the same for any cut into tiles.
class Edges : public ::testing::Test {
 protected:
  Edges() : translator_({probe()}, {}) {
    header_.kind = storage::StoreKind::Scores;
    header_.sources = {"A", "C", "D", "F"};
    header_.targets = {"A", "B", "C", "D", "E", "F"};
    header_.probes = score_columns(options_);
    header_.tile_columns = score_counts(options_);
  }

  static TrainedMlp mlp(const MlpShape& shape, std::uint64_t seed) {
    return {initial_parameters(shape, seed, "edges"), {}};
  }

  static ProbeModel probe() {
    ProbeModel model;
    model.probe = "gdt";
    model.standardiser = {Transform::Asinh, {0.1, 0.2}, {1.0, 0.5}, {0.7, 1.5}};
    model.shape = MlpShape(2, {5});
    for (std::uint64_t m = 0; m < 3; ++m) model.members.push_back(mlp(model.shape, m));
    for (std::uint64_t n = 0; n < 2; ++n) model.nulls.push_back(mlp(model.shape, 10 + n));
    return model;
  }

  static std::vector<float> features_of(const storage::TileBlock& block) {
    std::vector<float> values;
    for (std::int64_t s = block.source_begin; s < block.source_begin + block.source_count; ++s)
      for (std::int64_t t = block.target_begin; t < block.target_begin + block.target_count; ++t) {
        RandomStream random(5, "edges", static_cast<std::uint64_t>(100 * s + t));
        values.push_back(static_cast<float>(random.normal()));
        values.push_back(static_cast<float>(random.normal()));
      }
    return values;
  }

  /// The edge file that comes of tiles of this size.
  storage::EdgeStore infer(std::int64_t sources_per_tile, std::int64_t targets_per_tile, std::int64_t kept) {
    header_.sources_per_tile = sources_per_tile;
    header_.targets_per_tile = targets_per_tile;
    const auto world = comm::Communicator::world();
    const auto scores = folder_.path() / "scores.h5";
    auto writer = storage::FeatureStoreWriter::create(world, scores, header_);
    const TileTranslator translate(translator_, options_, {0, 2, 3, 5});
    for (std::int64_t tile = 0; tile < header_.plan().count(); ++tile) {
      const storage::TileBlock block = header_.plan().block(tile);
      writer.write_round({translate({tile, {{"gdt", features_of(block)}}, {}}, block)});
    }
    writer.finish("{}");

    storage::EdgeStoreHeader edges;
    edges.sources = header_.sources;
    edges.targets = header_.targets;
    edges.edges_per_source = kept;
    edges.matrix = storage::ScoreMatrix::Float32;
    edges.spread = edges.false_discovery = true;
    const auto out = folder_.path() / "edges.h5";
    storage::EdgeStoreWriter out_writer(out, edges);
    Progress progress("ranking", 4, "sources", false);
    rank_edges(comm::Communicator::self(), storage::FeatureStore(scores, storage::StoreKind::Scores),
               translator_.null_count(), &out_writer, edges, progress);
    out_writer.finish("{}");
    return storage::EdgeStore(out);
  }

  test::TempFolder folder_;
  Translator translator_;
  ScoreOptions options_{true, true};
  storage::FeatureStoreHeader header_;
};

TEST_F(Edges, DoNotDependOnTheCutIntoTiles) {
  const storage::EdgeRows whole = infer(4, 0, 5).read(0, 4);
  for (const auto& [sources, targets] : {std::pair{1, 1}, std::pair{3, 4}, std::pair{2, 5}}) {
    const storage::EdgeRows cut = infer(sources, targets, 5).read(0, 4);
    EXPECT_EQ(cut.target, whole.target);
    EXPECT_EQ(cut.score, whole.score);
    EXPECT_EQ(cut.spread, whole.spread);
    EXPECT_EQ(cut.false_discovery, whole.false_discovery);
  }
}

TEST_F(Edges, AreTheTranslatorsBestPairs) {
  const Prediction all = translator_.predict({{"gdt", 2, features_of({0, 4, 0, 6})}}, {true, true});
  const storage::EdgeStore store = infer(3, 4, 2);
  const storage::EdgeRows rows = store.read(0, 4);
  const std::vector<float> matrix = store.read_scores(0, 4);
  const std::vector<std::size_t> self{0, 2, 3, 5};
  for (std::size_t s = 0; s < 4; ++s) {
    for (std::size_t t = 0; t < 6; ++t) {
      const float score = matrix[6 * s + t];
      if (t == self[s])
        EXPECT_TRUE(std::isnan(score));
      else
        EXPECT_EQ(score, probability(all.logit[6 * s + t]));
    }
    for (std::size_t k = 0; k < 2; ++k) {
      const auto target = static_cast<std::size_t>(rows.target[2 * s + k]);
      EXPECT_NE(target, self[s]);
      EXPECT_EQ(rows.score[2 * s + k], matrix[6 * s + target]);
      EXPECT_EQ(rows.spread[2 * s + k], all.spread[6 * s + target]);
    }
  }
}

TEST_F(Edges, FalseDiscoveryCountsThePairsButNotTheSelfPairs) {
  const Prediction all = translator_.predict({{"gdt", 2, features_of({0, 4, 0, 6})}}, {true, true});
  const std::vector<std::size_t> self{0, 6 + 2, 12 + 3, 18 + 5};
  const auto is_self = [&](std::size_t pair) {
    return std::find(self.begin(), self.end(), pair) != self.end();
  };
  LogitHistogram observed, null;
  for (std::size_t pair = 0; pair < 24; ++pair) {
    if (is_self(pair)) continue;
    observed.add(std::vector{all.logit[pair]});
    null.add(std::vector{all.null[pair], all.null[24 + pair]});
  }
  const auto expected = false_discovery_by_bin(observed.counts(), null.counts(), 2);
  const storage::EdgeRows rows = infer(2, 3, 5).read(0, 4);
  for (std::size_t s = 0; s < 4; ++s)
    for (std::size_t k = 0; k < 5; ++k) {
      const float logit = all.logit[6 * s + static_cast<std::size_t>(rows.target[5 * s + k])];
      EXPECT_EQ(rows.false_discovery[5 * s + k],
                expected[static_cast<std::size_t>(LogitHistogram::bin_of(logit))]);
    }
}

}  // namespace
}  // namespace regulus::translator

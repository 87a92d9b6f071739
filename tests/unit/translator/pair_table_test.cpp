#include "regulus/translator/pair_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "regulus/storage/feature_store.h"
#include "regulus/translator/feature_origin.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"

namespace regulus::translator {
namespace {

/// A store whose features say where they come from: vvp = (source, target), gdt = 100 source + target.
class PairTableTest : public ::testing::Test {
 protected:
  storage::FeatureStoreHeader header(const std::string& prefix) const {
    storage::FeatureStoreHeader header;
    header.sources = {prefix + "A", prefix + "B", prefix + "C"};
    header.targets = {prefix + "A", "SHARED", prefix + "G1", prefix + "G2"};
    header.probes = {{"vvp", 2, "test"}, {"gdt", 1, "test"}};
    header.grids = {{"perturbation", {1.0, 2.0}}};
    header.background = "virtual";
    header.checkpoint_sha256 = "abc";
    header.provenance_json = "{}";
    header.sources_per_tile = 3;
    return header;
  }

  std::string write(const std::string& name, const storage::FeatureStoreHeader& header,
                    float spoilt = 1.0F) const {
    storage::FeatureStoreWriter::Tile tile{0, {}};
    for (int s = 0; s < 3; ++s)
      for (int t = 0; t < 4; ++t) {
        for (const int value : {s, t}) tile.features["vvp"].push_back(static_cast<float>(value));
        tile.features["gdt"].push_back(static_cast<float>(100 * s + t));
      }
    tile.features["gdt"].back() *= spoilt;
    auto writer = storage::FeatureStoreWriter::create(comm::Communicator::self(), folder_ / name, header);
    writer.write_round({tile});
    writer.finish("{}");
    return (folder_ / name).string();
  }

  PairTable table(const std::string& name, const std::string& prefix, const LabelledPairs& pairs) const {
    const std::string file = write(name, header(prefix));
    return make_pair_table(storage::FeatureStore(file), file, {"gdt", "vvp"}, pairs);
  }

  test::TempFolder folder_;
  const LabelledPairs pairs_{{0, 0, 2}, {1, 3, 2}, {1, 0, 1}};
};

TEST_F(PairTableTest, GathersTheRowsOfThePairs) {
  const PairTable found = table("a.h5", "", pairs_);
  EXPECT_EQ(found.size(), 3);
  EXPECT_EQ(found.positives(), 2);
  ASSERT_EQ(found.features.size(), 2U);
  EXPECT_EQ(found.features[0].probe, "gdt");
  EXPECT_EQ(found.features[0].values, (std::vector<float>{1, 3, 202}));
  EXPECT_EQ(found.features[1].width, 2);
  EXPECT_EQ(found.features[1].values, (std::vector<float>{0, 1, 0, 3, 2, 2}));
  EXPECT_EQ(found.genes(), (std::vector<std::string>{"A", "C", "G1", "G2", "SHARED"}));
}

TEST_F(PairTableTest, AppendKeepsTheNamesOfBothDataSets) {
  PairTable all = table("a.h5", "", pairs_);
  append(all, table("b.h5", "m", pairs_));
  ASSERT_EQ(all.size(), 6);
  const auto pair_name = [&](std::size_t i) {
    return all.sources[static_cast<std::size_t>(all.source[i])] + ">" +
           all.targets[static_cast<std::size_t>(all.target[i])];
  };
  EXPECT_EQ(pair_name(2), "C>G1");
  EXPECT_EQ(pair_name(3), "mA>SHARED");
  EXPECT_EQ(pair_name(5), "mC>mG1");
  EXPECT_EQ(std::count(all.targets.begin(), all.targets.end(), "SHARED"), 1);
  EXPECT_EQ(all.label, (std::vector<std::uint8_t>{1, 0, 1, 1, 0, 1}));
  EXPECT_EQ(all.features[0].values, (std::vector<float>{1, 3, 202, 1, 3, 202}));
}

TEST_F(PairTableTest, DifferentProbesDoNotMix) {
  PairTable all = table("a.h5", "", pairs_);
  PairTable narrow = all;
  narrow.features[1].width = 1;
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { append(all, narrow); }), "gdt[1], vvp[2]",
                        "gdt[1], vvp[1]", "--probes");
}

TEST_F(PairTableTest, MissingProbesAndDamagedFeaturesAreNamed) {
  const std::string file = write("bad.h5", header(""), std::nanf(""));
  const storage::FeatureStore store(file);
  test::expect_mentions(
      test::error_of(ErrorKind::Input, [&] { gather_features(store, file, "osg", pairs_); }), "osg",
      "bad.h5");
  EXPECT_EQ(gather_features(store, file, "gdt", pairs_).values.size(), 3U)
      << "the damaged pair was not asked for";
  const LabelledPairs last{{2}, {3}, {1}};
  test::expect_mentions(test::error_of(ErrorKind::Input, [&] { gather_features(store, file, "gdt", last); }),
                        "C -> G2", "gdt", "bad.h5");
}

TEST_F(PairTableTest, OriginsMustAgreeInModelAndGrids) {
  const FeatureOrigin origin = origin_of(header(""));
  FeatureOrigin other = origin;
  other.background = "cells";
  EXPECT_NO_THROW(require_same_origin(origin, "a.h5", other, "b.h5"));
  other.grids["perturbation"] = {1.0, 3.0};
  test::expect_mentions(
      test::error_of(ErrorKind::Input, [&] { require_same_origin(origin, "a.h5", other, "b.h5"); }), "a.h5",
      "b.h5", "perturbation: 1, 3");
  other = origin;
  other.checkpoint_sha256 = "def";
  test::expect_mentions(
      test::error_of(ErrorKind::Input, [&] { require_same_origin(origin, "a.h5", other, "b.h5"); }), "def",
      "abc");
}

}  // namespace
}  // namespace regulus::translator

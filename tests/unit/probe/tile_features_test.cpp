// VVP, GDT and OSG of a tile against their formulas, evaluated by forward passes alone.
#include "regulus/probe/tile_features.h"

#include <gtest/gtest.h>

#include "regulus/backbone/transformer.h"
#include "regulus/core/error.h"
#include "regulus/probe/panel.h"
#include "support/definitions.h"
#include "support/tiny_job.h"

namespace {

using namespace regulus;

constexpr double kTolerance = 2e-7;  // float32 storage of values of order one, and central differences

class TileFeaturesTest : public ::testing::Test {
 protected:
  TileFeaturesTest() : model_(test::tiny_model(11, 21)), job_(test::tiny_job(model_, 3, 3)) {}

  std::map<std::string, std::vector<float>> compute(std::int64_t tile, bool reversed = false,
                                                    at::ScalarType precision = at::kDouble) const {
    const auto backbone = backbone::make_transformer(model_, {.precision = precision});
    probe::TileFeatures features(job_, tile);
    auto parts = probe::parts_of_tile(job_);
    if (reversed) std::reverse(parts.begin(), parts.end());
    for (const auto& part : parts) features.add(*backbone, part);
    return features.features(*backbone);
  }

  /// Worst difference of one source's features [G, width] from the definition.
  double error(const std::vector<float>& features, std::int64_t source_in_tile,
               const at::Tensor& expected) const {
    const at::Tensor all =
        at::tensor(features, at::kDouble).reshape({-1, job_.gene_count(), expected.size(1)});
    return (all[source_in_tile] - expected).abs().max().item<double>();
  }

  backbone::Model model_;
  probe::ProbeJob job_;
};

TEST_F(TileFeaturesTest, FollowTheirDefinitions) {
  const test::Definitions definition(model_, job_);
  for (std::int64_t s = 0; s < job_.source_count(); ++s) {
    const auto features = compute(s / job_.sources_per_tile);
    const std::int64_t in_tile = s % job_.sources_per_tile;
    EXPECT_LT(error(features.at("vvp"), in_tile, definition.vvp(s)), kTolerance) << "source " << s;
    EXPECT_LT(error(features.at("gdt"), in_tile, definition.gdt(s)), kTolerance) << "source " << s;
    EXPECT_LT(error(features.at("osg"), in_tile, definition.osg(s)), kTolerance) << "source " << s;
    EXPECT_LT(error(features.at("pert"), in_tile, definition.pert(s)), kTolerance) << "source " << s;
  }
}

TEST_F(TileFeaturesTest, WithClsInFrontFollowTheirDefinitions) {
  job_.cls_id = model_.vocabulary.find("<cls>");
  job_.cls_value = -2.0;
  const test::Definitions definition(model_, job_);
  const auto features = compute(0);
  EXPECT_LT(error(features.at("vvp"), 1, definition.vvp(1)), kTolerance);
  EXPECT_LT(error(features.at("gdt"), 1, definition.gdt(1)), kTolerance);
  EXPECT_LT(error(features.at("osg"), 1, definition.osg(1)), kTolerance);
}

TEST_F(TileFeaturesTest, SourceAtTheReferenceValueNeedsNoExtraPass) {
  job_.backgrounds = probe::virtual_background(job_);
  EXPECT_LT(error(compute(0).at("vvp"), 0, test::Definitions(model_, job_).vvp(0)), kTolerance);
}

TEST_F(TileFeaturesTest, UniformBackgroundFollowsItsDefinition) {
  job_.uniform = true;
  const test::Definitions definition(model_, job_);
  for (std::int64_t s = 0; s < job_.source_count(); ++s)
    EXPECT_LT(error(compute(s / job_.sources_per_tile).at("gdt"), s % job_.sources_per_tile,
                    definition.uniform_gdt(s)),
              kTolerance)
        << "source " << s;
}

TEST_F(TileFeaturesTest, SpreadIsTheStandardDeviationOverTheBackgrounds) {
  job_.spread = true;
  const auto features = compute(0);
  EXPECT_LT(error(features.at("vvp_sd"), 1, test::Definitions(model_, job_).vvp_sd(1)), kTolerance);
  EXPECT_EQ(features.count("gdt_sd"), 1U);
  EXPECT_EQ(features.count("attn_sd"), 1U);
  EXPECT_EQ(features.count("pert_sd"), 0U);
}

TEST_F(TileFeaturesTest, AttentionPaidByOneQuerySumsToOneOverAllKeys) {
  job_.attention_width = model_.config.layers;
  for (std::int64_t s = 0; s < job_.gene_count(); ++s) {
    if (s >= job_.source_count()) job_.sources.push_back(0);
    job_.sources[static_cast<std::size_t>(s)] = s;
  }
  at::Tensor sums = at::zeros({job_.gene_count(), job_.attention_width}, at::kDouble);
  for (std::int64_t tile = 0; tile < job_.plan().count(); ++tile)
    sums += at::tensor(compute(tile).at("attn"), at::kDouble)
                .reshape({-1, job_.gene_count(), job_.attention_width})
                .sum(0);
  EXPECT_LT((sums - 1.0).abs().max().item<double>(), 1e-5);
}

TEST_F(TileFeaturesTest, DoNotDependOnTheOrderOfTheParts) {
  EXPECT_EQ(compute(0), compute(0, true));
}

TEST_F(TileFeaturesTest, DoNotDependOnHowPartsAreJoined) {
  job_.sources_per_tile = 3;
  job_.sources_per_part = 1;
  job_.spread = true;
  const auto backbone = backbone::make_transformer(model_, {.precision = at::kFloat});
  probe::TileFeatures joined(job_, 0);
  for (const auto& part : probe::joined(probe::parts_of_tile(job_))) joined.add(*backbone, part);
  EXPECT_EQ(joined.features(*backbone), compute(0, true, at::kFloat));
}

TEST_F(TileFeaturesTest, ATileWithFewerSourcesHasNothingToDoForSomeParts) {
  job_.sources_per_tile = 2;
  job_.sources_per_part = 1;
  const test::Definitions definition(model_, job_);
  EXPECT_LT(error(compute(1).at("vvp"), 0, definition.vvp(2)), kTolerance);  // the third of three
}

TEST_F(TileFeaturesTest, PartsOfSomeSourcesFollowTheDefinitions) {
  job_.sources_per_tile = 3;
  job_.sources_per_part = 2;
  const test::Definitions definition(model_, job_);
  const auto features = compute(0);
  for (std::int64_t s = 0; s < job_.source_count(); ++s) {
    EXPECT_LT(error(features.at("vvp"), s, definition.vvp(s)), kTolerance) << "source " << s;
    EXPECT_LT(error(features.at("gdt"), s, definition.gdt(s)), kTolerance) << "source " << s;
  }
}

TEST_F(TileFeaturesTest, OnlyDerivativesAreComputedInBFloat16) {
  const auto rounded = compute(0, false, at::kBFloat16);
  const auto single = compute(0, false, at::kFloat);
  const test::Definitions definition(model_, job_);
  EXPECT_LT(error(rounded.at("vvp"), 1, definition.vvp(1)), 2e-6);  // float32: differences of order one
  EXPECT_EQ(rounded.at("pert"), single.at("pert"));
  EXPECT_EQ(rounded.at("attn"), single.at("attn"));
  EXPECT_NE(rounded.at("gdt"), single.at("gdt"));
  EXPECT_NE(rounded.at("osg"), single.at("osg"));
  EXPECT_LT(error(rounded.at("gdt"), 1, definition.gdt(1)), 1e-2);
  EXPECT_LT(error(rounded.at("osg"), 1, definition.osg(1)), 2e-2);
}

TEST_F(TileFeaturesTest, PartsCoverEveryRowOnce) {
  std::int64_t backgrounds = 0;
  std::int64_t cells = 0;
  for (const auto& part : probe::parts_of_tile(job_)) {
    if (part.kind == probe::TilePart::Kind::Backgrounds)
      backgrounds += (part.end - part.begin) * part.source_count(job_.sources_per_tile);
    if (part.kind == probe::TilePart::Kind::Cells) cells += part.end - part.begin;
  }
  EXPECT_EQ(backgrounds, job_.backgrounds->count() * job_.sources_per_tile);
  EXPECT_EQ(cells, job_.cells->count());
}

TEST_F(TileFeaturesTest, NonFiniteResponseNamesTheSource) {
  model_.weights["decoder.fc.4.bias"].fill_(std::numeric_limits<float>::infinity());
  try {
    compute(0);
    FAIL() << "no error";
  } catch (const ModelError& failure) {
    EXPECT_NE(failure.message().find(job_.genes[1]), std::string::npos) << failure.what();
  }
}

}  // namespace

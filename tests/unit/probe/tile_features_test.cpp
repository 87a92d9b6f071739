// VVP, GDT and OSG of a tile against their formulas, evaluated by forward passes alone.
#include "regulus/probe/tile_features.h"

#include <gtest/gtest.h>

#include "regulus/backbone/transformer.h"
#include "regulus/core/error.h"
#include "support/definitions.h"
#include "support/tiny_job.h"

namespace {

using namespace regulus;

constexpr double kTolerance = 2e-7;  // float32 storage of values of order one, and central differences

class TileFeaturesTest : public ::testing::Test {
 protected:
  TileFeaturesTest() : model_(test::tiny_model(11, 21)), job_(test::tiny_job(model_, 3, 3)) {}

  std::map<std::string, std::vector<float>> compute(std::int64_t tile, bool reversed = false) const {
    const auto backbone = backbone::make_transformer(model_, {.precision = at::kDouble});
    probe::TileFeatures features(job_, tile);
    auto units = probe::units_of_tile(job_, tile);
    if (reversed) std::reverse(units.begin(), units.end());
    for (const auto& unit : units) features.add(*backbone, unit);
    return features.reduce(comm::Communicator::world(), 0);
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
  job_.backgrounds.values.assign(job_.backgrounds.values.size(), static_cast<float>(job_.v_b));
  EXPECT_LT(error(compute(0).at("vvp"), 0, test::Definitions(model_, job_).vvp(0)), kTolerance);
}

TEST_F(TileFeaturesTest, DoNotDependOnTheOrderOfTheUnits) {
  EXPECT_EQ(compute(0), compute(0, true));
}

TEST_F(TileFeaturesTest, UnitsCoverEveryRowOnce) {
  std::int64_t backgrounds = 0;
  std::int64_t cells = 0;
  for (const auto& unit : probe::units_of_tile(job_, 1)) {
    EXPECT_EQ(unit.tile, 1);
    backgrounds += unit.background_end - unit.background_begin;
    cells += unit.cell_end - unit.cell_begin;
  }
  EXPECT_EQ(backgrounds, job_.backgrounds.rows());
  EXPECT_EQ(cells, job_.cells.rows());
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

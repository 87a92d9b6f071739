#include "regulus/translator/translator.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "regulus/storage/hdf5.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

using storage::H5File;

TrainedMlp member(const MlpShape& shape, std::uint64_t seed) {
  return {initial_parameters(shape, seed, "toy"), {{0.7, 0.6}, {0.71, 0.65}, 1}};
}

ProbeModel model(const std::string& probe, std::int64_t width, std::uint64_t seed) {
  ProbeModel model;
  model.probe = probe;
  model.standardiser = {Transform::Asinh, std::vector<double>(static_cast<std::size_t>(width), 0.1),
                        std::vector<double>(static_cast<std::size_t>(width), 1.0 / 3.0),
                        std::vector<double>(static_cast<std::size_t>(width), 0.7)};
  model.shape = MlpShape(width, {9, 4});
  model.members = {member(model.shape, seed)};
  return model;
}

Translator toy() {
  TrainingRecord record;
  record.seen_genes = {"GATA1", "Δ-gene"};
  record.networks = {"STRING"};
  record.data_sets = {"hESC", "mDC"};
  record.origin = {"abc", "cells", {{"perturbation", {0.5, 1.0 / 3.0}}}};
  record.provenance_json = R"({"command":"train"})";
  return {{model("xor", 2, 1), model("copy", 3, 2)}, record};
}

/// The toy with several members and nulls.
Translator crowd(std::uint64_t members, std::uint64_t nulls) {
  std::vector<ProbeModel> models{model("xor", 2, 1), model("copy", 3, 2)};
  for (ProbeModel& probe : models) {
    for (std::uint64_t m = 1; m < members; ++m) probe.members.push_back(member(probe.shape, 10 + m));
    for (std::uint64_t n = 0; n < nulls; ++n) probe.nulls.push_back(member(probe.shape, 20 + n));
  }
  return {models, toy().record()};
}

void expect_same(const std::vector<TrainedMlp>& found, const std::vector<TrainedMlp>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].parameters, expected[i].parameters);
    EXPECT_EQ(found[i].curve.train, expected[i].curve.train);
    EXPECT_EQ(found[i].curve.validation, expected[i].curve.validation);
    EXPECT_EQ(found[i].curve.best_epoch, 1);
  }
}

TEST(Translator, SaveAndLoadIsExact) {
  const test::TempFolder folder;
  const Translator original = crowd(3, 2);
  original.save(folder / "t.h5");
  const Translator loaded = Translator::load(folder / "t.h5");
  EXPECT_EQ(loaded.probes(), (std::vector<std::string>{"xor", "copy"}));
  for (const ProbeModel& expected : original.models()) {
    const ProbeModel& found = loaded.model(expected.probe);
    expect_same(found.members, expected.members);
    expect_same(found.nulls, expected.nulls);
    EXPECT_EQ(found.shape.inputs(), expected.shape.inputs());
    EXPECT_EQ(found.shape.layers(), 3);
    EXPECT_EQ(found.standardiser.transform, expected.standardiser.transform);
    EXPECT_EQ(found.standardiser.scale, expected.standardiser.scale);
    EXPECT_EQ(found.standardiser.mean, expected.standardiser.mean);
    EXPECT_EQ(found.standardiser.std, expected.standardiser.std);
  }
  EXPECT_EQ(loaded.record().seen_genes, original.record().seen_genes);
  EXPECT_TRUE(loaded.record().holdout_genes.empty());
  EXPECT_EQ(loaded.record().networks, original.record().networks);
  EXPECT_EQ(loaded.record().data_sets, original.record().data_sets);
  EXPECT_EQ(loaded.record().origin.checkpoint_sha256, "abc");
  EXPECT_EQ(loaded.record().origin.background, "cells");
  EXPECT_EQ(loaded.record().origin.grids, original.record().origin.grids);
  EXPECT_EQ(loaded.record().provenance_json, original.record().provenance_json);
}

/// The toy as versions before members wrote it: the MLP in the group of the probe.
void write_version_1(const std::filesystem::path& path, const Translator& translator) {
  H5File file = H5File::create(path);
  file.write_attribute_string("/", "format", "regulus translator");
  file.write_attribute_int("/", "version", 1);
  file.write_strings("/probes", translator.probes());
  for (const ProbeModel& probe : translator.models()) {
    const std::string group = "/probe/" + probe.probe;
    const TrainedMlp& mlp = probe.members.front();
    file.create_group(group);
    file.write_attribute_int(group, "width", probe.shape.inputs());
    file.write_attribute_int(group, "layers", 3);
    file.write_attribute_int(group, "best_epoch", mlp.curve.best_epoch);
    file.write_attribute_string(group, "transform", "asinh");
    file.write(group + "/scale", probe.standardiser.scale);
    file.write(group + "/mean", probe.standardiser.mean);
    file.write(group + "/std", probe.standardiser.std);
    std::vector<std::int64_t> widths{probe.shape.inputs(), 9, 4, 1};
    auto next = mlp.parameters.begin();
    for (std::size_t layer = 0; layer < 3; ++layer) {
      const std::int64_t weights = widths[layer] * widths[layer + 1];
      file.write(group + "/weight_" + std::to_string(layer), std::vector<float>(next, next + weights),
                 {widths[layer + 1], widths[layer]});
      next += weights;
      file.write(group + "/bias_" + std::to_string(layer),
                 std::vector<float>(next, next + widths[layer + 1]));
      next += widths[layer + 1];
    }
    file.write(group + "/loss_train", mlp.curve.train);
    file.write(group + "/loss_validation", mlp.curve.validation);
  }
  for (const auto* names : {"/genes/seen", "/genes/holdout", "/training/networks", "/training/data_sets"})
    file.write_strings(names, {});
  file.write_attribute_string("/", "checkpoint_sha256", "abc");
  file.write_attribute_string("/", "background", "cells");
  file.create_group("/grids");
  file.write_attribute_string("/", "provenance", "{}");
  file.close();
}

TEST(Translator, LoadsVersion1) {
  const test::TempFolder folder;
  const Translator original = toy();
  write_version_1(folder / "old.h5", original);
  const Translator loaded = Translator::load(folder / "old.h5");
  EXPECT_EQ(loaded.member_count(), 1);
  EXPECT_EQ(loaded.null_count(), 0);
  for (const ProbeModel& expected : original.models())
    expect_same(loaded.model(expected.probe).members, expected.members);
}

TEST(Translator, SaveIntoAMissingFolderIsAStorageError) {
  const test::TempFolder folder;
  test::error_of(ErrorKind::Storage, [&] { toy().save(folder / "none" / "t.h5"); });
}

TEST(Translator, LogitsOfAPairDoNotDependOnTheOtherPairs) {
  const Translator translator = toy();
  const std::vector<float> values = test::xor_pairs(20, 50, 8).features[1].values;  // 1,000 rows of 3
  const std::vector<float> together = translator.logits("copy", values);
  ASSERT_EQ(together.size(), 1000U);
  for (const std::size_t begin : {0U, 1U, 7U, 255U, 256U, 700U}) {
    const std::vector<float> rest =
        translator.logits("copy", std::span<const float>(values).subspan(3 * begin));
    EXPECT_EQ(rest, std::vector<float>(together.begin() + static_cast<std::ptrdiff_t>(begin), together.end()))
        << "from pair " << begin;
  }
  EXPECT_TRUE(translator.logits("copy", {}).empty());
}

TEST(Translator, EnsembleIsTheMeanLogit) {
  const Translator translator = toy();
  const PairTable table = test::xor_pairs(3, 4, 8);
  const std::vector<float> a = translator.logits("xor", table.features[0].values);
  const std::vector<float> b = translator.logits("copy", table.features[1].values);
  const std::vector<float> ensemble = translator.ensemble_logits(table.features);
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_FLOAT_EQ(ensemble[i], (a[i] + b[i]) / 2.0F);
  EXPECT_EQ(translator.ensemble_logits({table.features[0]}), a);
}

/// The logits of one MLP alone, through a translator that has no other.
std::vector<float> alone(const ProbeModel& probe, const TrainedMlp& mlp, const std::vector<float>& values) {
  ProbeModel single = probe;
  single.members = {mlp};
  single.nulls.clear();
  return Translator({single}, {}).logits(probe.probe, values);
}

TEST(Translator, PredictsMeanSpreadAndNullsOfItsMlps) {
  const Translator translator = crowd(3, 2);
  const PairTable table = test::xor_pairs(7, 50, 8);
  const Prediction found = translator.predict(table.features, {.spread = true, .null = true});
  const std::size_t pairs = table.label.size();
  ASSERT_EQ(found.logit.size(), pairs);
  ASSERT_EQ(found.spread.size(), pairs);
  ASSERT_EQ(found.null.size(), 2 * pairs);
  std::vector<std::vector<float>> member(3, std::vector<float>(pairs, 0.0F));
  std::vector<float> null(2 * pairs, 0.0F);
  for (const ProbeMatrix& features : table.features) {
    const ProbeModel& probe = translator.model(features.probe);
    for (std::size_t m = 0; m < 3; ++m) {
      const auto logits = alone(probe, probe.members[m], features.values);
      for (std::size_t i = 0; i < pairs; ++i) member[m][i] += logits[i] / 2.0F;
    }
    for (std::size_t n = 0; n < 2; ++n) {
      const auto logits = alone(probe, probe.nulls[n], features.values);
      for (std::size_t i = 0; i < pairs; ++i) null[n * pairs + i] += logits[i] / 2.0F;
    }
  }
  for (std::size_t i = 0; i < pairs; ++i) {
    const float mean = (member[0][i] + member[1][i] + member[2][i]) / 3.0F;
    float squares = 0.0F;
    for (const auto& logits : member) squares += (logits[i] - mean) * (logits[i] - mean);
    EXPECT_NEAR(found.logit[i], mean, 1e-5);
    EXPECT_NEAR(found.spread[i], std::sqrt(squares / 2.0F), 1e-5);
  }
  for (std::size_t i = 0; i < null.size(); ++i) EXPECT_NEAR(found.null[i], null[i], 1e-5);
}

TEST(Translator, SpreadAndNullsAreEmptyUnlessAskedForAndThere) {
  const PairTable table = test::xor_pairs(3, 4, 8);
  const Prediction quiet = crowd(3, 2).predict(table.features);
  EXPECT_TRUE(quiet.spread.empty());
  EXPECT_TRUE(quiet.null.empty());
  const Prediction lonely = toy().predict(table.features, {.spread = true, .null = true});
  EXPECT_TRUE(lonely.spread.empty());
  EXPECT_TRUE(lonely.null.empty());
  EXPECT_EQ(lonely.logit, toy().ensemble_logits(table.features));
}

/// Rows [begin, end) of every matrix.
std::vector<ProbeMatrix> rows(const std::vector<ProbeMatrix>& features, std::int64_t begin,
                              std::int64_t end) {
  std::vector<ProbeMatrix> some;
  for (const ProbeMatrix& matrix : features)
    some.push_back(
        {matrix.probe,
         matrix.width,
         {matrix.values.begin() + begin * matrix.width, matrix.values.begin() + end * matrix.width}});
  return some;
}

TEST(Translator, PredictionsOfAPairDoNotDependOnTheOtherPairsOrThreads) {
  const Translator translator = crowd(3, 2);
  const PredictOptions all{.spread = true, .null = true};
  const PairTable table = test::xor_pairs(20, 35, 8);
  const std::int64_t pairs = table.size();
  const Prediction together = translator.predict(table.features, all);
  const int threads = at::get_num_threads();
  at::set_num_threads(2);
  for (const std::int64_t step : {1, 7, 255, 256, 300}) {
    for (std::int64_t begin = 0; begin < pairs; begin += step + 97) {
      const std::int64_t end = std::min(begin + step, pairs);
      const Prediction some = translator.predict(rows(table.features, begin, end), all);
      for (std::int64_t pair = begin; pair < end; ++pair) {
        const auto whole = static_cast<std::size_t>(pair);
        const auto here = static_cast<std::size_t>(pair - begin);
        ASSERT_EQ(some.logit[here], together.logit[whole]);
        ASSERT_EQ(some.spread[here], together.spread[whole]);
        ASSERT_EQ(some.null[static_cast<std::size_t>(end - begin) + here],
                  together.null[static_cast<std::size_t>(pairs) + whole]);
      }
    }
  }
  at::set_num_threads(threads);
}

TEST(Translator, ProbabilityIsTheLogisticFunction) {
  EXPECT_FLOAT_EQ(probability(0.0F), 0.5F);
  EXPECT_FLOAT_EQ(probability(std::log(3.0F)), 0.75F);
  EXPECT_EQ(probability(-1000.0F), 0.0F);
}

TEST(Translator, UnknownProbesAndOtherWidthsAreRefused) {
  const Translator translator = toy();
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { translator.logits("gdt", {}); }), "gdt",
                        "xor, copy");
  const std::vector<float> values(7, 0.0F);
  test::error_of(ErrorKind::Input, [&] { translator.logits("xor", values); });
  test::expect_mentions(test::error_of(ErrorKind::Input,
                                       [&] {
                                         translator.ensemble_logits({{"xor", 4, std::vector<float>(8)}});
                                       }),
                        "xor", "4 values");
  const std::vector<ProbeMatrix> unequal{{"xor", 2, std::vector<float>(8)},
                                         {"copy", 3, std::vector<float>(9)}};
  test::expect_mentions(test::error_of(ErrorKind::Input, [&] { translator.predict(unequal); }), "copy",
                        "4 pairs");
  test::error_of(ErrorKind::Input, [&] { translator.predict({}); });
}

/// What a damaged file says: each case rewrites the toy with one thing wrong.
struct Damage {
  const char* name;
  std::function<void(ProbeModel&, TrainingRecord&)> apply;
  const char* mentions;
};

class DamagedTranslator : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedTranslator, IsAModelErrorThatNamesFileAndRemedy) {
  const test::TempFolder folder;
  ProbeModel damaged = model("xor", 2, 1);
  TrainingRecord record = toy().record();
  GetParam().apply(damaged, record);
  Translator({damaged}, record).save(folder / "bad.h5");
  const std::string text = test::error_of(ErrorKind::Model, [&] { Translator::load(folder / "bad.h5"); });
  test::expect_mentions(text, "bad.h5", "regulus train", GetParam().mentions);
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

INSTANTIATE_TEST_SUITE_P(
    Cases, DamagedTranslator,
    ::testing::Values(
        Damage{"NanWeight",
               [](ProbeModel& m, TrainingRecord&) { m.members[0].parameters[3] = std::nanf(""); },
               "weight_0"},
        Damage{"InfiniteBias",
               [](ProbeModel& m, TrainingRecord&) { m.members[0].parameters.back() = HUGE_VALF; }, "bias_2"},
        Damage{"ZeroStd", [](ProbeModel& m, TrainingRecord&) { m.standardiser.std[1] = 0.0; }, "/std"},
        Damage{"NegativeScale", [](ProbeModel& m, TrainingRecord&) { m.standardiser.scale[0] = -1.0; },
               "/scale"},
        Damage{"NanMean", [](ProbeModel& m, TrainingRecord&) { m.standardiser.mean[0] = kNaN; }, "/mean"},
        Damage{"ShortMean", [](ProbeModel& m, TrainingRecord&) { m.standardiser.mean.pop_back(); }, "/mean"},
        Damage{"EmptyStd", [](ProbeModel& m, TrainingRecord&) { m.standardiser.std.clear(); }, "/std"},
        Damage{"Provenance", [](ProbeModel&, TrainingRecord& r) { r.provenance_json = "{oops"; }, "JSON"}),
    [](const auto& damage) { return std::string(damage.param.name); });

/// A translator written without one of its parts, or with a part of another shape.
void write_partial(const std::filesystem::path& path, const std::string& format, std::int64_t version) {
  H5File file = H5File::create(path);
  file.write_attribute_string("/", "format", format);
  file.write_attribute_int("/", "version", version);
  file.write_strings("/probes", {"xor"});
  file.create_group("/probe/xor");
  file.write_attribute_int("/probe/xor", "width", 2);
  file.write_attribute_int("/probe/xor", "layers", 1);
  file.write_attribute_string("/probe/xor", "transform", "none");
  for (const auto* column : {"scale", "mean", "std"})
    file.write(std::string("/probe/xor/") + column, std::vector<double>{1.0, 1.0});
  file.write("/probe/xor/weight_0", std::vector<float>(6, 0.5F), {2, 3});
  file.close();
}

TEST(Translator, ForeignFilesAndVersionsAreModelErrors) {
  const test::TempFolder folder;
  const auto refusal = [&](const char* name) {
    return test::error_of(ErrorKind::Model, [&] { Translator::load(folder / name); });
  };
  test::expect_mentions(refusal("missing.h5"), "missing.h5");
  write_partial(folder / "other.h5", "regulus features", 1);
  test::expect_mentions(refusal("other.h5"), "other.h5", "not a translator");
  EXPECT_FALSE(is_translator(folder / "missing.h5"));
  EXPECT_FALSE(is_translator(folder / "other.h5"));
  write_partial(folder / "future.h5", "regulus translator", 99);
  test::expect_mentions(refusal("future.h5"), "version is 99");
  EXPECT_TRUE(is_translator(folder / "future.h5"));
  write_partial(folder / "shape.h5", "regulus translator", 1);
  test::expect_mentions(refusal("shape.h5"), "weight_0", "[1, 2]");
}

TEST(Translator, MissingDataSetsAreModelErrors) {
  const test::TempFolder folder;
  H5File file = H5File::create(folder / "empty.h5");
  file.write_attribute_string("/", "format", "regulus translator");
  file.write_attribute_int("/", "version", 1);
  file.close();
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { Translator::load(folder / "empty.h5"); }),
                        "empty.h5", "probes");
}

TEST(Translator, TruncatedFilesAreModelErrors) {
  const test::TempFolder folder;
  toy().save(folder / "t.h5");
  const auto size = std::filesystem::file_size(folder / "t.h5");
  for (const std::uintmax_t keep : {std::uintmax_t{0}, std::uintmax_t{100}, size / 2, size - 1}) {
    std::filesystem::copy_file(folder / "t.h5", folder / "cut.h5",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(folder / "cut.h5", keep);
    test::expect_mentions(test::error_of(ErrorKind::Model, [&] { Translator::load(folder / "cut.h5"); }),
                          "cut.h5");
  }
}

}  // namespace
}  // namespace regulus::translator

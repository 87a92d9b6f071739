#include "regulus/translator/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <tuple>

#include "regulus/storage/safetensors.h"
#include "regulus/translator/train.h"
#include "support/expect_error.h"
#include "support/temp_folder.h"
#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

TrainOptions small() {
  TrainOptions options;
  options.hidden = {4};
  options.epochs = 2;
  options.seed = 2;
  options.nulls = 1;
  return options;
}

const nlohmann::json kJob{{"lr", 0.001}, {"features", {"abc"}}};

TrainControl control(const test::TempFolder& folder) {
  return {.checkpoint = folder / "t.h5.checkpoint", .resume = true, .job = kJob};
}

/// Runs in pieces, each of which is asked to stop at its `looks`-th look, until one comes through.
Translator train_in_pieces(const PairTable& table, const TrainOptions& options, TrainControl control,
                           int looks, int& pieces) {
  for (pieces = 1;; ++pieces) {
    int left = looks;
    control.stop_requested = [&left] { return --left <= 0; };
    try {
      return train(comm::Communicator::self(), table, options, control);
    } catch (const Interrupted&) {
    }
  }
}

void expect_same(const std::vector<TrainedMlp>& a, const std::vector<TrainedMlp>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].parameters, b[i].parameters);
    EXPECT_EQ(a[i].curve.train, b[i].curve.train);
    EXPECT_EQ(a[i].curve.validation, b[i].curve.validation);
    EXPECT_EQ(a[i].curve.best_epoch, b[i].curve.best_epoch);
  }
}

class InPieces : public ::testing::TestWithParam<std::tuple<double, int>> {};

TEST_P(InPieces, HasTheBitsOfOneGo) {
  const auto [validation, looks] = GetParam();
  const test::TempFolder folder;
  PairTable table = test::xor_pairs(10, 14, 5);
  table.features.resize(1);
  TrainOptions options = small();
  options.batch = 1;  // many steps, so that a run is also left within an epoch
  options.validation_fraction = validation;
  options.patience = 1;
  int pieces = 0;
  const Translator broken = train_in_pieces(table, options, control(folder), looks, pieces);
  const Translator whole = train(comm::Communicator::self(), table, options, false);
  EXPECT_GT(pieces, 6 / looks);
  for (const ProbeModel& expected : whole.models()) {
    expect_same(broken.model(expected.probe).members, expected.members);
    expect_same(broken.model(expected.probe).nulls, expected.nulls);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, InPieces,
                         ::testing::Values(std::make_tuple(0.2, 1), std::make_tuple(0.0, 2)));

TEST(TrainCheckpoint, IsWrittenAfterEveryEpochOnRequest) {
  const test::TempFolder folder;
  TrainControl every = control(folder);
  every.checkpoint_minutes = 0.0;
  train(comm::Communicator::self(), test::xor_pairs(6, 10, 5), small(), every);
  EXPECT_TRUE(std::filesystem::exists(every.checkpoint));
  every.checkpoint = folder / "never";
  every.checkpoint_minutes = 60.0;
  train(comm::Communicator::self(), test::xor_pairs(6, 10, 5), small(), every);
  EXPECT_FALSE(std::filesystem::exists(every.checkpoint));
}

TEST(TrainCheckpoint, WithoutAFileResumingStartsAnew) {
  const test::TempFolder folder;
  const PairTable table = test::xor_pairs(6, 10, 5);
  const Translator fresh = train(comm::Communicator::self(), table, small(), control(folder));
  expect_same(fresh.model("xor").members,
              train(comm::Communicator::self(), table, small(), false).model("xor").members);
}

/// A checkpoint of the small job, stopped at the first look.
void interrupt(const TrainControl& how) {
  TrainControl stopping = how;
  stopping.stop_requested = [] { return true; };
  test::error_of(ErrorKind::Interrupted,
                 [&] { train(comm::Communicator::self(), test::xor_pairs(6, 10, 5), small(), stopping); });
}

void resume(const TrainControl& how) {
  train(comm::Communicator::self(), test::xor_pairs(6, 10, 5), small(), how);
}

TEST(TrainCheckpoint, OfAnotherJobIsRefusedNamingTheOption) {
  const test::TempFolder folder;
  TrainControl how = control(folder);
  interrupt(how);
  how.job["lr"] = 0.5;
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { resume(how); }), "--lr", "0.001", "0.5");
  how.job = kJob;
  how.job["features"] = {"def"};
  test::expect_mentions(test::error_of(ErrorKind::Options, [&] { resume(how); }), "--features", "files");
}

/// What is wrong with the tensors of a checkpoint.
struct Damage {
  const char* name;
  void (*apply)(std::map<std::string, storage::TensorView>&);
};

class DamagedTrainCheckpoint : public ::testing::TestWithParam<Damage> {};

TEST_P(DamagedTrainCheckpoint, IsAModelErrorThatNamesFileAndRemedy) {
  const test::TempFolder folder;
  const TrainControl how = control(folder);
  interrupt(how);
  auto tensors = storage::read_safetensors(how.checkpoint);
  const auto metadata = storage::read_safetensors_metadata(how.checkpoint);
  GetParam().apply(tensors);
  storage::write_safetensors(how.checkpoint, tensors, metadata);
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { resume(how); }), "t.h5.checkpoint",
                        "--overwrite");
}

void halve(storage::TensorView& tensor) {
  tensor.shape[0] /= 2;
  tensor.data.resize(tensor.data.size() / 2 / sizeof(double) * sizeof(double));
  tensor.shape[0] = static_cast<std::int64_t>(tensor.data.size() / storage::element_bytes(tensor.dtype));
}

void set_integer(storage::TensorView& tensor, std::int64_t value) {
  std::memcpy(tensor.data.data(), &value, sizeof value);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, DamagedTrainCheckpoint,
    ::testing::Values(Damage{"Parameters", [](auto& all) { halve(all.at("running.parameters")); }},
                      Damage{"Moment", [](auto& all) { halve(all.at("running.second_moment")); }},
                      Damage{"NoOptimiser", [](auto& all) { all.erase("running.first_moment"); }},
                      Damage{"BestEpoch", [](auto& all) { set_integer(all.at("running.best_epoch"), 99); }},
                      Damage{"Batches", [](auto& all) { set_integer(all.at("running.batches"), 1 << 20); }},
                      Damage{"Type", [](auto& all) { all.at("running.steps").dtype = storage::DType::F64; }}),
    [](const auto& damage) { return std::string(damage.param.name); });

TEST(TrainCheckpoint, TruncatedOrForeignFilesAreModelErrors) {
  const test::TempFolder folder;
  const TrainControl how = control(folder);
  interrupt(how);
  std::filesystem::resize_file(how.checkpoint, std::filesystem::file_size(how.checkpoint) / 2);
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { resume(how); }), "t.h5.checkpoint");
  storage::write_safetensors(how.checkpoint, {}, {{"format", "other"}});
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { resume(how); }), "t.h5.checkpoint",
                        "not a checkpoint");
}

}  // namespace
}  // namespace regulus::translator

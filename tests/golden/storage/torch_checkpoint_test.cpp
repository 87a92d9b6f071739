// Checkpoints of PyTorch itself: read, and ours read by it.
#include <gtest/gtest.h>

#include <filesystem>

#include "regulus/storage/torch_checkpoint.h"
#include "support/expect_error.h"
#include "support/python.h"
#include "support/temp_folder.h"
#include "support/tensor_views.h"

namespace regulus::storage {
namespace {

using namespace test;

/// The names under which the same tensors stand in model.safetensors.
std::string renamed(std::string name) {
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"self_attn._impl.", "self_attn."},
                                 {"Wqkv.weight", "in_proj_weight"},
                                 {"Wqkv.bias", "in_proj_bias"}})
    if (const std::size_t at = name.find(from); at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

/// Every tensor of the checkpoint is in model.safetensors beside it, bit for bit, except the flag encoder of
/// pretraining checkpoints; those lack the classifier.
void expect_the_model(const std::filesystem::path& file) {
  Tensors expected = read_safetensors(file.parent_path() / "model.safetensors");
  Tensors found;
  for (auto& [name, view] : read_torch_checkpoint(file)) found.emplace(renamed(name), view);
  if (file.filename().string().find("flash") != std::string::npos) {
    std::erase_if(expected, [](const auto& entry) { return entry.first.starts_with("cls_decoder."); });
    EXPECT_EQ(found.erase("flag_encoder.weight"), 1U) << file;
  }
  EXPECT_GT(expected.size(), 20U);
  expect_same(found, expected);
}

class Oracle : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / GetParam();
    if (!std::filesystem::exists(folder_))
      GTEST_SKIP() << "no reference files at ../shared/oracle/" << GetParam();
  }
  std::filesystem::path folder_;
};

TEST_P(Oracle, CheckpointsHoldTheTensorsOfTheSafetensorsFile) {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".pt" || name.find("legacy") != std::string::npos) continue;
    SCOPED_TRACE(entry.path().string());
    expect_the_model(entry.path());
    ++seen;
  }
  EXPECT_GE(seen, 1U);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Oracle,
                         ::testing::Values("scgpt/tiny", "scgpt/small", "scbenchmark/small"),
                         [](const auto& name) {
                           std::string text = name.param;
                           text[text.find('/')] = '_';
                           return text;
                         });

TEST(TorchCheckpoint, TheOlderFormatIsRefusedWithItsRemedy) {
  const auto folder = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scgpt";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no reference files at ../shared/oracle/scgpt";
  for (const std::string model : {"tiny", "small"}) {
    const auto file = folder / model / "best_model_legacy.pt";
    expect_mentions(error_of(ErrorKind::Model, [&] { read_torch_checkpoint(file); }), file.string(),
                    "torch.save(torch.load('" + file.string() + "', map_location='cpu'), 'NEW.pt')");
  }
}

TEST(TorchCheckpoint, ReadsWhatPyTorchWrites) {
  const TempFolder folder;
  if (!has_torch()) GTEST_SKIP() << "python3-torch is not installed";
  const std::string script = R"(
import sys, torch
torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
state = model.state_dict()
state["0.weight"] = torch.arange(12, dtype=torch.float32).reshape(4, 3).t()
state["half"], state["brain"] = torch.ones(3).half(), torch.ones(3).bfloat16()
state["short"], state["byte"] = torch.tensor([-2, 300]).short(), torch.tensor([200]).byte()
state["flag"], state["char"] = torch.tensor([True, False]), torch.tensor([-3]).char()
state["int"], state["double"] = torch.tensor([70000]).int(), torch.tensor(0.1, dtype=torch.float64)
state["row"], state["none"] = state["0.weight"][1], torch.empty(0, 3)
torch.save(state, sys.argv[1])
)";
  ASSERT_EQ(run_python(folder / "write.py", script, folder / "x.pt"), 0);
  const Tensors tensors = read_torch_checkpoint(folder / "x.pt");
  EXPECT_EQ(floats(tensors.at("0.weight")), (std::vector<float>{0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11}));
  EXPECT_EQ(floats(tensors.at("row")), (std::vector<float>{1, 4, 7, 10}));
  EXPECT_EQ(tensors.at("1.num_batches_tracked").data, tensor<std::int64_t>(DType::I64, {}, {0}).data);
  EXPECT_EQ(tensors.at("1.num_batches_tracked").dtype, DType::I64);
  EXPECT_EQ(tensors.at("half").data, tensor<std::uint16_t>(DType::F16, {3}, {0x3c00, 0x3c00, 0x3c00}).data);
  EXPECT_EQ(tensors.at("brain").data, tensor<std::uint16_t>(DType::BF16, {3}, {0x3f80, 0x3f80, 0x3f80}).data);
  EXPECT_EQ(tensors.at("short").data, tensor<std::int16_t>(DType::I16, {2}, {-2, 300}).data);
  EXPECT_EQ(tensors.at("byte").data, tensor<std::uint8_t>(DType::U8, {1}, {200}).data);
  EXPECT_EQ(tensors.at("flag").data, tensor<std::uint8_t>(DType::Bool, {2}, {1, 0}).data);
  EXPECT_EQ(tensors.at("char").data, tensor<std::int8_t>(DType::I8, {1}, {-3}).data);
  EXPECT_EQ(tensors.at("int").data, tensor<std::int32_t>(DType::I32, {1}, {70000}).data);
  EXPECT_EQ(tensors.at("double").data, tensor<double>(DType::F64, {}, {0.1}).data);
  EXPECT_EQ(tensors.at("none").shape, (std::vector<std::int64_t>{0, 3}));
}

TEST(TorchCheckpoint, PyTorchReadsWhatIsWritten) {
  const TempFolder folder;
  if (!has_torch()) GTEST_SKIP() << "python3-torch is not installed";
  write_torch_checkpoint(folder / "model.pt", of_every_type());
  const std::string script = R"(
import collections, sys, torch
for options in ({}, {"weights_only": True}):
    state = torch.load(sys.argv[1], **options)
    assert type(state) is collections.OrderedDict and list(state) == sorted(state)
    assert state["f64"].tolist() == [1.0, -0.1] and state["f64"].dtype is torch.float64
    assert state["f32"].tolist() == [[[1, 2]], [[3, 4]]] and state["f32"].is_contiguous()
    assert state["f16"].tolist() == [1.0] and state["f16"].dtype is torch.float16
    assert state["bf16"].tolist() == [1.0] and state["bf16"].dtype is torch.bfloat16
    assert state["i64"].item() == -5 and state["i64"].shape == ()
    assert state["i32"].tolist() == [7] * 300 and state["i16"].tolist() == [-1, 300]
    assert state["i8"].tolist() == [-1, 3] and state["u8"].tolist() == [1, 2, 3]
    assert state["bool"].tolist() == [False, True] and state["empty"].shape == (0, 4)
)";
  EXPECT_EQ(run_python(folder / "read.py", script, folder / "model.pt"), 0);
}

}  // namespace
}  // namespace regulus::storage

// The native transformer against outputs of the original scGPT code.
#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <tuple>

#include "regulus/backbone/predict.h"
#include "regulus/backbone/transformer.h"
#include "regulus/core/error.h"
#include "regulus/storage/hdf5.h"

namespace {

using namespace regulus;

constexpr double kDoubleTolerance = 1e-12;
constexpr double kFloatTolerance = 5e-6;
/// In single precision a state next to a ReLU's kink may fall on the other side of it: entries beyond the
/// tolerance must be few, and the float64 derivative itself must jump there. (The reference marks one such
/// source and value per model, with up to 52 targets.)
constexpr std::int64_t kMostKinks = 60;

class ScGpt : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(REGULUS_SHARED_DIR) / "oracle" / "scgpt" / GetParam();
    if (!std::filesystem::exists(folder_)) GTEST_SKIP() << "no reference outputs at ../shared/oracle/scgpt";
    model_ = backbone::load_model(folder_);
    goldens_.emplace(storage::H5File::open_read(folder_ / "goldens.h5"));
  }

  at::Tensor read(const std::string& path) const {
    const auto values = goldens_->read<double>(path);
    return at::tensor(values, at::kDouble).reshape(goldens_->shape(path));
  }

  at::Tensor read_ids(const std::string& path) const { return read(path).to(at::kLong); }

  /// Responses of every position as a source at every value of the grid: [L, T, L] primal and tangent.
  struct Responses {
    at::Tensor baseline, primal, tangent;
  };
  Responses probe(const std::string& group, const std::string& grid, at::ScalarType type) const;

  /// [L] how far the float64 derivative at a state moves when the decoder's weights and the biases before a
  /// ReLU move by 1e-6, about single precision's rounding: little, unless a kink is that near.
  at::Tensor jump_nearby(const std::string& group, std::int64_t source, std::int64_t grid_index);

  /// The panel of a group of probes: <cls> in front where the group says so.
  struct Panel {
    std::int64_t lead = 0;
    std::unique_ptr<backbone::PanelPass> pass;
  };
  Panel open(const std::string& group, at::ScalarType type) const;

  std::filesystem::path folder_;
  backbone::Model model_;
  std::optional<storage::H5File> goldens_;
};

ScGpt::Panel ScGpt::open(const std::string& group, at::ScalarType type) const {
  at::Tensor genes = read_ids("/probe/gene_ids");
  const std::int64_t lead = group == "cls" ? 1 : 0;
  const double v_b = goldens_->read_attribute_double("/probe/" + group, "v_b");
  at::Tensor background = at::full({genes.size(0) + lead}, v_b, type);
  if (lead == 1) {
    genes = at::cat({at::tensor(std::vector<std::int64_t>{*model_.vocabulary.find("<cls>")}), genes});
    background[0] = 0.0;
  }
  return {lead, backbone::make_transformer(model_, {.precision = type})->open_panel(genes, background)};
}

ScGpt::Responses ScGpt::probe(const std::string& group, const std::string& grid, at::ScalarType type) const {
  const auto [lead, pass] = open(group, type);
  const std::int64_t sources = read_ids("/probe/gene_ids").size(0);
  const at::Tensor values = read("/probe/" + group + "/" + grid);
  std::vector<at::Tensor> primal;
  std::vector<at::Tensor> tangent;
  for (std::int64_t i = 0; i < sources; ++i) {
    const auto response = pass->respond_dual(at::full({values.size(0)}, i + lead, at::kLong), values);
    primal.push_back(response.primal.narrow(1, lead, sources).to(at::kDouble));
    tangent.push_back(response.tangent.narrow(1, lead, sources).to(at::kDouble));
  }
  return {pass->baseline().narrow(0, lead, sources).to(at::kDouble), at::stack(primal), at::stack(tangent)};
}

at::Tensor ScGpt::jump_nearby(const std::string& group, std::int64_t source, std::int64_t grid_index) {
  const at::Tensor value = read("/probe/" + group + "/grid").narrow(0, grid_index, 1);
  const backbone::StateDict original = model_.weights;
  std::vector<at::Tensor> tangents;
  for (std::uint64_t draw = 0; draw < 32; ++draw) {
    for (auto& [name, weight] : model_.weights)
      if (name.find("fc.") != std::string::npos || name.find("linear1.bias") != std::string::npos)
        weight =
            original.at(name) + 2e-6 * (at::rand(weight.sizes(), at::detail::createCPUGenerator(draw)) - 0.5);
    const auto [lead, pass] = open(group, at::kDouble);
    const at::Tensor tangent = pass->respond_dual(at::full({1}, source + lead, at::kLong), value).tangent[0];
    tangents.push_back(tangent.narrow(0, lead, tangent.size(0) - lead));
  }
  model_.weights = original;
  const at::Tensor all = at::stack(tangents);
  return std::get<0>(all.max(0)) - std::get<0>(all.min(0));
}

TEST_P(ScGpt, EveryOutputOfTheForwardPass) {
  for (const auto& name : goldens_->children("/forward")) {
    const std::string group = "/forward/" + name;
    const at::Tensor mask = read(group + "/key_padding_mask").to(at::kBool);
    for (const auto& [type, part, tolerance] : {std::tuple{at::kDouble, "/f64", kDoubleTolerance},
                                                std::tuple{at::kFloat, "/f32", kFloatTolerance}}) {
      if (!goldens_->has(group + part)) continue;
      const backbone::Prediction output =
          backbone::predict_all(model_.config, backbone::convert(model_.weights, type),
                                {read_ids(group + "/gene_ids"), read(group + "/values").to(type), mask, {}});
      const auto error = [&](const char* golden, const at::Tensor& found) {
        const at::Tensor expected =
            read(group + part + golden);  // order one; mvc up to 15, so relative there
        return (found.to(at::kDouble) - expected).abs() / expected.abs().clamp_min(1.0);
      };
      const auto unmasked = [&](const at::Tensor& errors) { return errors.masked_fill(mask, 0.0); };
      const std::string where = name + part;
      EXPECT_LE(unmasked(error("/mlm_output", output.expression)).max().item<double>(), tolerance) << where;
      EXPECT_LE(unmasked(error("/mvc_output", output.mvc)).max().item<double>(), tolerance) << where;
      EXPECT_LE(error("/cell_emb", output.cell).max().item<double>(), tolerance) << where;
    }
  }
}

TEST_P(ScGpt, VirtualValuePerturbation) {
  for (const std::string group : {"bins", "unit", "offset", "cls"}) {
    const at::Tensor expected = read("/probe/" + group + "/vvp");  // [source, target, value]
    for (const auto& [type, tolerance] :
         {std::pair{at::kDouble, kDoubleTolerance}, std::pair{at::kFloat, kFloatTolerance}}) {
      const Responses responses = probe(group, "v_p", type);
      const at::Tensor vvp = (responses.primal - responses.baseline).transpose(1, 2);
      EXPECT_LE((vvp - expected).abs().max().item<double>(), tolerance) << group;
    }
  }
}

TEST_P(ScGpt, GradientTrajectory) {
  for (const std::string group : {"bins", "unit", "offset", "cls"}) {
    const at::Tensor expected = read("/probe/" + group + "/gdt_fixed");  // [source, target, value]
    const at::Tensor exact = probe(group, "grid", at::kDouble).tangent.transpose(1, 2);
    EXPECT_LE((exact - expected).abs().max().item<double>(), kDoubleTolerance) << group;
    const at::Tensor gdt = probe(group, "grid", at::kFloat).tangent.transpose(1, 2);
    const at::Tensor error = (gdt - expected).abs();
    const at::Tensor beyond = (error > kFloatTolerance).nonzero();
    EXPECT_LE(beyond.size(0), kMostKinks) << group;
    for (std::int64_t k = 0; k < beyond.size(0); ++k) {
      const auto entry = [&](std::int64_t axis) { return beyond[k][axis].item<std::int64_t>(); };
      const double jump = jump_nearby(group, entry(0), entry(2))[entry(1)].item<double>();
      EXPECT_GE(jump, 0.5 * error[entry(0)][entry(1)][entry(2)].item<double>()) << group << " without a kink";
    }
  }
}

/// Every gene at the grid's value: one primal serves all sources.
TEST_P(ScGpt, GradientTrajectoryOfUniformBackgrounds) {
  const at::Tensor genes = read_ids("/probe/gene_ids");
  for (const std::string group : {"bins", "unit", "offset"}) {
    const at::Tensor grid = read("/probe/" + group + "/grid");
    const at::Tensor expected = read("/probe/" + group + "/gdt_uniform");  // [source, target, value]
    const at::Tensor kinks = read("/probe/" + group + "/gdt_uniform_near_kink").to(at::kBool);
    for (const auto& [type, tolerance] :
         {std::pair{at::kDouble, kDoubleTolerance}, std::pair{at::kFloat, kFloatTolerance}}) {
      const auto backbone = backbone::make_transformer(model_, {.precision = type});
      std::vector<at::Tensor> columns;
      for (std::int64_t t = 0; t < grid.size(0); ++t)
        columns.push_back(backbone->open_panel(genes, at::full({genes.size(0)}, grid[t].item<double>(), type))
                              ->tangents(at::arange(genes.size(0), at::kLong))
                              .to(at::kDouble));
      at::Tensor error = (at::stack(columns, -1) - expected).abs();
      if (type == at::kFloat) error = error.masked_fill(kinks, 0.0);
      EXPECT_LE(error.max().item<double>(), tolerance) << group;
    }
  }
}

TEST_P(ScGpt, PerturbationOfTheMean) {
  const at::Tensor genes = read_ids("/probe/gene_ids");
  for (const auto& [type, tolerance] :
       {std::pair{at::kDouble, kDoubleTolerance}, std::pair{at::kFloat, kFloatTolerance}}) {
    const auto pass = backbone::make_transformer(model_, {.precision = type})
                          ->open_panel(genes, read("/baselines/xbar").to(type));
    const at::Tensor without =
        pass->respond(at::arange(genes.size(0), at::kLong), at::zeros({genes.size(0)}, type));
    const at::Tensor pert = (pass->baseline().unsqueeze(0) - without).to(at::kDouble);
    EXPECT_LE((pert - read("/baselines/pert")).abs().max().item<double>(), tolerance);
  }
}

TEST_P(ScGpt, AttentionOfTheLastAndOfEveryLayer) {
  const at::Tensor genes = read_ids("/probe/gene_ids");
  const at::Tensor sources = at::arange(genes.size(0), at::kLong);
  for (const auto& [type, tolerance] :
       {std::pair{at::kDouble, kDoubleTolerance}, std::pair{at::kFloat, kFloatTolerance}}) {
    const auto backbone = backbone::make_transformer(model_, {.precision = type});
    for (const std::string input : {"xbar", "uniform_0"}) {
      const at::Tensor values =
          input == "xbar" ? read("/baselines/xbar") : at::zeros({genes.size(0)}, at::kDouble);
      const auto pass = backbone->open_panel(genes, values.to(type));
      const at::Tensor last = pass->attention(sources, false);
      const at::Tensor expected = read("/baselines/attn_edge_" + input);
      EXPECT_LE((last.squeeze(-1).to(at::kDouble) - expected).abs().max().item<double>(), tolerance) << input;
      EXPECT_TRUE(
          at::equal(pass->attention(sources, true).select(-1, model_.config.layers - 1), last.squeeze(-1)));
    }
    const at::Tensor layers =
        read("/forward/uniform_0/f64/attn_probs").mean(2).select(1, 0);  // [layer, q, k]
    const at::Tensor few = read_ids("/forward/uniform_0/gene_ids")[0];
    const at::Tensor all = backbone->open_panel(few, at::zeros({few.size(0)}, type))
                               ->attention(at::arange(few.size(0), at::kLong), true);
    EXPECT_LE((all.permute({2, 1, 0}).to(at::kDouble) - layers).abs().max().item<double>(), tolerance);
  }
}

TEST_P(ScGpt, EmbeddingsAreTheTablesRows) {
  const auto backbone = backbone::make_transformer(model_, {.precision = at::kDouble});
  const at::Tensor rows = backbone->embeddings(read_ids("/probe/gene_ids"));
  EXPECT_TRUE(at::equal(rows, read("/baselines/emb_raw")));
}

/// Every checkpoint of the folder, whatever its format and key names, is the same model.
TEST_P(ScGpt, EveryCheckpointIsTheSameModel) {
  for (const char* file :
       {"best_model.pt", "best_model_flash.pt", "best_model_flash_cudatag.pt", "best_model_flash_impl.pt"}) {
    const backbone::Model other = backbone::load_model(folder_ / file);
    ASSERT_EQ(other.weights.size(), model_.weights.size()) << file;
    for (const auto& [name, weight] : model_.weights)
      EXPECT_TRUE(at::equal(other.weights.at(name), weight)) << file << ' ' << name;
  }
  try {
    backbone::load_model(folder_ / "best_model_legacy.pt");
    FAIL() << "no error";
  } catch (const ModelError& failure) {
    EXPECT_NE(std::string(failure.what()).find("torch.save"), std::string::npos) << failure.what();
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, ScGpt, ::testing::Values("tiny", "small"));

}  // namespace

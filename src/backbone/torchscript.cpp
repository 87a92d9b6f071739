#include "regulus/backbone/torchscript.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "regulus/core/error.h"
#include "torchscript_derivative.h"

namespace regulus::backbone {

namespace {

/// Length of the trial panels; no model was trained on shorter ones.
constexpr std::int64_t kTrialLength = 5;

/// Positions of all states in one call of the module.
constexpr std::int64_t kPositionsPerForward = 6144;

class ScriptPass final : public PanelPass {
 public:
  ScriptPass(std::shared_ptr<const ScriptModule> module, std::shared_ptr<const ScriptDerivative> derivative,
             ScriptPanel panel, const PanelRange& targets)
      : module_(std::move(module)),
        derivative_(std::move(derivative)),
        panel_(std::move(panel)),
        targets_(targets) {}

  at::Tensor baseline() override { return of_targets(predict(panel_.background.unsqueeze(0)))[0]; }

  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    const std::int64_t step = std::max<std::int64_t>(1, kPositionsPerForward / panel_.background.size(0));
    std::vector<at::Tensor> responses;
    for (std::int64_t first = 0; first < sources.size(0); first += step) {
      const std::int64_t count = std::min(step, sources.size(0) - first);
      responses.push_back(of_targets(
          predict(panel_states(panel_, sources.narrow(0, first, count), values.narrow(0, first, count)))));
    }
    return at::cat(responses);
  }

  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    const auto response = derivative_->respond(panel_, sources, values.to(panel_.background.scalar_type()));
    return {of_targets(response.primal), of_targets(response.tangent)};
  }

  at::Tensor tangents(const at::Tensor& sources) override {
    return of_targets(derivative_->tangents(panel_, sources));
  }

  at::Tensor attention(const at::Tensor&, bool) override {
    throw ModelError("a TorchScript module does not show its attention", module_->where(),
                     "leave attn out of --features");
  }

 private:
  at::Tensor predict(const at::Tensor& states) const {
    const at::NoGradGuard no_gradients;
    return predict_states(*module_, panel_, states);
  }

  at::Tensor of_targets(const at::Tensor& response) const {
    return response.narrow(1, targets_.first, targets_.count);
  }

  std::shared_ptr<const ScriptModule> module_;
  std::shared_ptr<const ScriptDerivative> derivative_;
  ScriptPanel panel_;
  PanelRange targets_;
};

/// A second shape finds modules that were traced for one.
void try_shapes(const ScriptModule& module, std::int64_t vocabulary) {
  const at::NoGradGuard no_gradients;
  for (const auto& [batch, length] :
       {std::pair<std::int64_t, std::int64_t>{2, kTrialLength}, {3, kTrialLength - 1}}) {
    const ScriptPanel panel = trial_panel(vocabulary, length, module.precision());
    predict_states(module, panel, panel.background.repeat({batch, 1}));
  }
}

class ScriptBackbone final : public Backbone {
 public:
  ScriptBackbone(const ScriptedModel& model, at::ScalarType precision)
      : vocabulary_(model.vocabulary),
        input_(model.input),
        checkpoint_sha256_(model.checkpoint_sha256),
        module_(std::make_shared<const ScriptModule>(model.module_bytes, precision, model.where)) {
    try_shapes(*module_, vocabulary_.size());
    derivative_ = std::make_shared<const ScriptDerivative>(
        module_, trial_panel(vocabulary_.size(), kTrialLength, precision));
    if (module_->can_embed()) embedding_width_ = module_->embed(at::zeros({2}, at::kLong)).size(1);
  }

  const data::Vocabulary& vocabulary() const override { return vocabulary_; }
  at::ScalarType precision() const override { return module_->precision(); }
  const InputConvention& input() const override { return input_; }
  const std::string& checkpoint_sha256() const override { return checkpoint_sha256_; }
  std::optional<PassShape> pass_shape() const override { return std::nullopt; }
  std::size_t workspace_bytes() const override { return 0; }
  std::string no_derivative() const override { return derivative_->missing(); }
  std::int64_t attention_layers() const override { return 0; }
  std::int64_t embedding_width() const override { return embedding_width_; }

  at::Tensor embeddings(const at::Tensor& gene_ids) const override {
    if (embedding_width_ == 0)
      throw ModelError("the module has no method embed", module_->where(),
                       "export embed(gene_ids) -> [n, d], or leave emb out of --features");
    return module_->embed(gene_ids);
  }

  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids, const at::Tensor& background,
                                        const PanelRange& targets) const override {
    return std::make_unique<ScriptPass>(module_, derivative_,
                                        ScriptPanel{gene_ids, background.to(module_->precision())}, targets);
  }

 private:
  data::Vocabulary vocabulary_;
  InputConvention input_;
  std::string checkpoint_sha256_;
  std::shared_ptr<const ScriptModule> module_;
  std::shared_ptr<const ScriptDerivative> derivative_;
  std::int64_t embedding_width_ = 0;
};

}  // namespace

std::unique_ptr<Backbone> make_script_backbone(const ScriptedModel& model, at::ScalarType precision) {
  return std::make_unique<ScriptBackbone>(model, precision);
}

}  // namespace regulus::backbone

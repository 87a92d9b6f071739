#include "regulus/backbone/transformer.h"

#include <ATen/ATen.h>

#include "divided_pass.h"
#include "transformer_pass.h"

namespace regulus::backbone {

namespace {

class Transformer final : public Backbone {
 public:
  Transformer(const Model& model, const TransformerOptions& options)
      : input_(model.config.input),
        vocabulary_(model.vocabulary),
        checkpoint_sha256_(model.checkpoint_sha256),
        device_(options.device),
        weights_(std::make_shared<const TransformerWeights>(
            options.precision == at::kBFloat16 ? with_bfloat16_tangents(unpack(model, options))
                                               : unpack(model, options))) {}

  const data::Vocabulary& vocabulary() const override { return vocabulary_; }
  at::ScalarType precision() const override { return weights_->embedding.scalar_type(); }
  const InputConvention& input() const override { return input_; }
  const std::string& checkpoint_sha256() const override { return checkpoint_sha256_; }
  std::string no_derivative() const override { return backbone::no_derivative(*weights_); }
  std::int64_t attention_layers() const override {
    return static_cast<std::int64_t>(weights_->layers.size());
  }
  std::int64_t embedding_width() const override { return weights_->embedding.size(1); }

  at::Tensor embeddings(const at::Tensor& gene_ids) const override {
    return at::embedding(weights_->embedding, gene_ids.to(device_)).cpu();
  }

  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids,
                                        const at::Tensor& background) const override {
    auto pass = open_transformer_pass(weights_, gene_ids, background);
    return device_.is_cpu() ? std::move(pass) : divide(std::move(pass), batch_limit_);
  }

 private:
  InputConvention input_;
  data::Vocabulary vocabulary_;
  std::string checkpoint_sha256_;
  at::Device device_;
  std::shared_ptr<const TransformerWeights> weights_;
  std::shared_ptr<BatchLimit> batch_limit_ = std::make_shared<BatchLimit>();
};

}  // namespace

std::unique_ptr<Backbone> make_transformer(const Model& model, const TransformerOptions& options) {
  return std::make_unique<Transformer>(model, options);
}

}  // namespace regulus::backbone

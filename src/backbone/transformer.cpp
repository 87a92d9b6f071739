#include "regulus/backbone/transformer.h"

#include <ATen/ATen.h>

#include "streamed_pass.h"
#include "transformer_pass.h"

namespace regulus::backbone {

namespace {

class Transformer final : public Backbone {
 public:
  Transformer(const Model& model, const TransformerOptions& options)
      : input_(model.config.input),
        vocabulary_(model.vocabulary),
        checkpoint_sha256_(model.checkpoint_sha256),
        precision_(options.precision),
        weights_(std::make_shared<const TransformerWeights>(unpack(model, options))) {}

  const data::Vocabulary& vocabulary() const override { return vocabulary_; }
  at::ScalarType precision() const override { return precision_; }
  const InputConvention& input() const override { return input_; }
  const std::string& checkpoint_sha256() const override { return checkpoint_sha256_; }
  std::string no_derivative() const override { return backbone::no_derivative(*weights_); }
  std::int64_t attention_layers() const override {
    return static_cast<std::int64_t>(weights_->layers.size());
  }
  std::int64_t embedding_width() const override { return weights_->embedding.size(1); }

  at::Tensor embeddings(const at::Tensor& gene_ids) const override {
    return at::embedding(weights_->embedding, gene_ids);
  }

  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids, const at::Tensor& background,
                                        const PanelRange& targets) const override {
    return open_streamed_pass(weights_, memory_, {gene_ids, background, targets, padding(gene_ids)});
  }

 private:
  /// Padding is no key, as in the original code. \return undefined without such a token
  at::Tensor padding(const at::Tensor& gene_ids) const {
    const auto id = vocabulary_.find("<pad>");
    return id ? gene_ids.eq(*id) : at::Tensor();
  }

  InputConvention input_;
  data::Vocabulary vocabulary_;
  std::string checkpoint_sha256_;
  at::ScalarType precision_;
  std::shared_ptr<const TransformerWeights> weights_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>();
};

}  // namespace

std::unique_ptr<Backbone> make_transformer(const Model& model, const TransformerOptions& options) {
  return std::make_unique<Transformer>(model, options);
}

}  // namespace regulus::backbone

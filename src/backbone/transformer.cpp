#include "regulus/backbone/transformer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>

#include "divided_pass.h"
#include "mixed_pass.h"
#include "regulus/core/error.h"
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
        shape_{model.config.width, model.config.hidden, model.config.heads, model.config.layers, 0, 0},
        device_(options.device),
        weights_(std::make_shared<const TransformerWeights>(unpack(model, options))) {
    if (options.precision == at::kBFloat16)
      derivative_weights_ = std::make_shared<const TransformerWeights>(with_bfloat16_tangents(*weights_));
  }

  const data::Vocabulary& vocabulary() const override { return vocabulary_; }
  at::ScalarType precision() const override { return weights_->embedding.scalar_type(); }
  const InputConvention& input() const override { return input_; }
  const std::string& checkpoint_sha256() const override { return checkpoint_sha256_; }
  std::string no_derivative() const override { return backbone::no_derivative(*weights_); }
  std::int64_t attention_layers() const override {
    return static_cast<std::int64_t>(weights_->layers.size());
  }
  std::int64_t embedding_width() const override { return weights_->embedding.size(1); }

  std::optional<PassShape> pass_shape() const override { return shape_; }
  std::size_t workspace_bytes() const override { return memory_->bytes(); }

  at::Tensor embeddings(const at::Tensor& gene_ids) const override {
    return at::embedding(weights_->embedding, gene_ids.to(device_)).cpu();
  }

  std::unique_ptr<PanelPass> open_panel(const at::Tensor& gene_ids, const at::Tensor& background,
                                        const PanelRange& targets) const override {
    const at::Tensor padding = padding_of(gene_ids);
    const auto plain = [&](const std::shared_ptr<const TransformerWeights>& weights) {
      return divide(open_transformer_pass(weights, gene_ids, background, targets), batch_limit_,
                    states_per_plain_batch(gene_ids.size(0)));
    };
    if (padding.defined() && (derivative_weights_ || !device_.is_cpu()))
      throw ModelError("a panel with padding can only be computed in float32 on the CPU", "probe",
                       "use --device cpu --precision float32, or leave <pad> out of the genes");
    auto exact = device_.is_cpu()
                     ? open_streamed_pass(weights_, memory_, {gene_ids, background, targets, padding})
                     : plain(weights_);
    return derivative_weights_ ? mix(std::move(exact), plain(derivative_weights_)) : std::move(exact);
  }

 private:
  /// Padding is no key, as in the original code. \return undefined if there is none
  at::Tensor padding_of(const at::Tensor& gene_ids) const {
    const auto id = vocabulary_.find("<pad>");
    if (!id) return {};
    const at::Tensor padding = gene_ids.eq(*id);
    return padding.any().item<bool>() ? padding : at::Tensor();
  }

  /// States of the plain pass at once: a device takes what its memory holds, the CPU what its caches like.
  std::int64_t states_per_plain_batch(std::int64_t length) const {
    constexpr std::int64_t kPositions = 6144;
    return device_.is_cpu() ? std::max<std::int64_t>(1, kPositions / length)
                            : std::numeric_limits<std::int64_t>::max();
  }

  InputConvention input_;
  data::Vocabulary vocabulary_;
  std::string checkpoint_sha256_;
  PassShape shape_;
  at::Device device_;
  std::shared_ptr<const TransformerWeights> weights_;
  std::shared_ptr<MemoryPool> memory_ = std::make_shared<MemoryPool>();
  std::shared_ptr<const TransformerWeights> derivative_weights_;  // null: the same
  std::shared_ptr<BatchLimit> batch_limit_ = std::make_shared<BatchLimit>();
};

}  // namespace

std::unique_ptr<Backbone> make_transformer(const Model& model, const TransformerOptions& options) {
  return std::make_unique<Transformer>(model, options);
}

}  // namespace regulus::backbone

#include "regulus/backbone/architecture.h"

#include <fmt/format.h>

#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

/// Looks at the keys and shapes of a checkpoint.
class Keys {
 public:
  Keys(const Tensors& tensors, std::string where) : tensors_(tensors), where_(std::move(where)) {}

  bool has(const std::string& key) const { return tensors_.count(key) > 0; }

  /// An extent of a tensor, 0 if the key is not there or has fewer axes.
  std::int64_t extent(const std::string& key, std::size_t axis) const {
    const auto found = tensors_.find(key);
    if (found == tensors_.end() || found->second.shape.size() <= axis) return 0;
    return found->second.shape[axis];
  }

  [[noreturn]] void refuse(const std::string& what) const {
    throw ModelError(what, where_,
                     "see docs/formats/model_folder.md for the architectures that are supported");
  }

 private:
  const Tensors& tensors_;
  std::string where_;
};

/// args.json alone can say that values scale: a checkpoint without a value encoder may as well have lost it.
ValueStyle value_style(const Keys& keys, ValueStyle from_args) {
  return keys.has("value_encoder.embedding.weight") ? ValueStyle::Category : from_args;
}

std::int64_t norm_labels(const Keys& keys) {
  std::int64_t labels = 0;
  while (keys.has(fmt::format("dsbn.bns.{}.running_mean", labels))) ++labels;
  if (keys.has("dsbn.bns.0.weight")) keys.refuse("has an affine dsbn, which the original code cannot build");
  return labels;
}

ChannelNorm channel_norm(const Keys& keys, std::int64_t labels) {
  if (labels > 0) return ChannelNorm::PerBatch;
  return keys.has("bn.running_mean") ? ChannelNorm::Shared : ChannelNorm::None;
}

MvcStyle mvc_style(const Keys& keys, Layout layout, const TransformerConfig& config) {
  if (layout == Layout::ScBenchmark)
    return keys.has("mvc_decoder.gene2query.0.weight") ? MvcStyle::TokenQuery : MvcStyle::None;
  if (keys.has("mvc_decoder.W.weight")) return MvcStyle::InnerProduct;
  if (!keys.has("mvc_decoder.fc1.weight")) return MvcStyle::None;
  if (config.batch_labels > 0) keys.refuse("has batch labels with another MVC style than 'inner product'");
  return keys.extent("mvc_decoder.fc1.weight", 1) > config.width ? MvcStyle::ConcatQuery : MvcStyle::SumQuery;
}

}  // namespace

void infer_architecture(TransformerConfig& config, const NamedTensors& checkpoint, const std::string& where) {
  const Keys keys(checkpoint.tensors, where);
  config.input_norms = checkpoint.layout == Layout::ScGpt;
  config.token_width = keys.has("encoder.projection.weight") ? keys.extent("encoder.embedding.weight", 1) : 0;
  if (config.hidden == 0) config.hidden = keys.extent("transformer_encoder.layers.0.linear1.weight", 0);
  config.values = value_style(keys, config.values);
  config.value_rows = keys.extent("value_encoder.embedding.weight", 0);
  config.batch_labels = keys.extent("batch_encoder.embedding.weight", 0);
  config.norm_labels = norm_labels(keys);
  config.channel_norm = channel_norm(keys, config.norm_labels);
  config.zero_probability = keys.has("decoder.zero_logit.0.weight");
  config.mvc = mvc_style(keys, checkpoint.layout, config);
}

std::vector<std::string> describe_architecture(const TransformerConfig& c) {
  std::vector<std::string> parts{
      fmt::format("{} layers, width {}, {} heads, hidden {}", c.layers, c.width, c.heads, c.hidden)};
  if (c.projects_tokens()) parts.push_back(fmt::format("tokens of width {}, projected", c.token_width));
  parts.emplace_back(c.input_norms ? "normalised inputs" : "inputs without norms");
  if (c.values == ValueStyle::Continuous) parts.emplace_back("continuous values");
  if (c.values == ValueStyle::Scaling) parts.emplace_back("values scale the gene encoding");
  if (c.values == ValueStyle::Category)
    parts.push_back(fmt::format("values are {} categories (no derivative)", c.value_rows));
  if (c.channel_norm == ChannelNorm::Shared) parts.emplace_back("batch norm");
  if (c.channel_norm == ChannelNorm::PerBatch)
    parts.push_back(fmt::format("a batch norm for each of {} batch labels", c.norm_labels));
  if (c.batch_labels > 0) parts.push_back(fmt::format("decoders that take {} batch labels", c.batch_labels));
  if (c.zero_probability) parts.emplace_back("zero probability");
  if (c.mvc != MvcStyle::None) parts.emplace_back("MVC decoder");
  return parts;
}

}  // namespace regulus::backbone

#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "regulus/backbone/input_convention.h"

namespace regulus::backbone {

/// How a value becomes part of the input.
enum class ValueStyle {
  Continuous,  ///< a small network of the value, added to the gene's encoding
  Scaling,     ///< the gene's encoding times the value
  Category     ///< a table row of the truncated value, added: no derivative
};

/// A batch norm over the channels of the input, with the statistics of training.
enum class ChannelNorm {
  None,
  Shared,   ///< bn
  PerBatch  ///< dsbn: one per batch label
};

/// How the cell's embedding predicts a gene (masked value prediction for the cell, MVC).
enum class MvcStyle { None, InnerProduct, ConcatQuery, SumQuery, TokenQuery };

/// What summarises a cell.
enum class CellStyle { Cls, AveragePool, WeightedPool };

/// Architecture of a scGPT-style transformer, scBenchmark's included (DESIGN: Backbones; args.json).
struct TransformerConfig {
  std::int64_t vocabulary = 0;   ///< number of tokens
  std::int64_t token_width = 0;  ///< of the embedding table; projected to `width` where it differs, 0: equal
  std::int64_t width = 64;       ///< embsize, d
  std::int64_t heads = 4;        ///< nheads; divides width
  std::int64_t hidden = 128;     ///< d_hid of the feed-forward block
  std::int64_t layers = 3;       ///< nlayers

  bool input_norms = true;  ///< layer norms of the gene and value encodings (scBenchmark has none)
  ValueStyle values = ValueStyle::Continuous;
  std::int64_t value_rows = 0;  ///< of the table, Category only
  ChannelNorm channel_norm = ChannelNorm::None;
  std::int64_t norm_labels = 0;   ///< batch labels of PerBatch
  std::int64_t batch_labels = 0;  ///< labels that the decoders take as input; 0 if they take none
  bool zero_probability = false;  ///< decoders have a head for the probability of expression
  MvcStyle mvc = MvcStyle::None;
  CellStyle cell = CellStyle::Cls;

  double mask_value = -1.0;  ///< fed to the value encoder at masked positions
  double pad_value = -2.0;   ///< fed to the value encoder at padded positions
  InputConvention input;

  std::int64_t head_width() const { return width / heads; }
  bool projects_tokens() const { return token_width != 0 && token_width != width; }
  std::int64_t table_width() const { return projects_tokens() ? token_width : width; }
};

/// Reads args.json. Fields are scGPT's (embsize, nheads, d_hid, nlayers, n_bins, max_seq_len …) and
/// scBenchmark's (train_maxseq, cls_value …); what only regulus knows (value_max, cls) is in the object
/// "regulus". What only the checkpoint tells stays at its default (vocabulary 0, hidden 0 without d_hid): see
/// infer_architecture(). \param where the file's name, for errors \throws ModelError on missing fields, wrong
/// types or sizes that do not fit together, and on what is not supported, by name
TransformerConfig config_from_args(const nlohmann::json& args, const std::string& where);

/// What args.json says of the inputs alone, for models whose architecture is their own: max_seq_len or
/// train_maxseq, n_bins with input_style "binned", pad_value, cls_value, regulus.value_max and regulus.cls;
/// an absent field has its default. \throws ModelError on wrong types and a panel length out of range
InputConvention input_from_args(const nlohmann::json& args, const std::string& where);

/// The inverse of config_from_args(): args.json of a model that regulus trained.
nlohmann::json args_from_config(const TransformerConfig& config);

/// A weight of the architecture.
struct WeightSpec {
  std::string name;                 ///< scGPT's key; for scBenchmark, what checkpoint_keys.h makes of it
  std::vector<std::int64_t> shape;  ///< linear layers as (out, in)
};

/// Every weight of the encoder, the expression decoder and the MVC decoder, in the order of scGPT's state
/// dict. (The classifier and other training heads are not among them.)
std::vector<WeightSpec> weight_specs(const TransformerConfig& config);

}  // namespace regulus::backbone

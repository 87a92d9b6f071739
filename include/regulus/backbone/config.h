#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace regulus::backbone {

/// Architecture of a scGPT-style transformer and what its inputs mean (DESIGN: Backbones; args.json).
struct TransformerConfig {
  std::int64_t vocabulary = 0;  ///< number of tokens
  std::int64_t width = 64;      ///< embsize, d
  std::int64_t heads = 4;       ///< nheads; divides width
  std::int64_t hidden = 128;    ///< d_hid of the feed-forward block
  std::int64_t layers = 3;      ///< nlayers

  double mask_value = -1.0;       ///< fed to the value encoder at masked positions
  double pad_value = -2.0;        ///< fed to the value encoder at padded positions
  std::int64_t max_panel = 1200;  ///< longest panel that the model was trained with (max_seq_len)
  bool cls = false;               ///< whether a <cls> position leads every panel
  double value_max = 0.0;         ///< largest input value seen in training; 0 when the model does not say

  std::int64_t head_width() const { return width / heads; }
};

/// Reads args.json. Fields are scGPT's (embsize, nheads, d_hid, nlayers, n_bins, max_seq_len …); what only
/// regulus knows (value_max, cls) is in the object "regulus". `vocabulary` stays 0: it is the size of
/// vocab.json. \param where the file's name, for errors \throws ModelError on missing fields, wrong types or
/// sizes that do not fit together
TransformerConfig config_from_args(const nlohmann::json& args, const std::string& where);

/// The inverse: args.json of a model that regulus trained.
nlohmann::json args_from_config(const TransformerConfig& config);

/// A weight of the architecture.
struct WeightSpec {
  std::string name;                 ///< scGPT's key
  std::vector<std::int64_t> shape;  ///< linear layers as (out, in)
};

/// Every weight that the expression read-out needs, in the order of scGPT's state dict.
std::vector<WeightSpec> weight_specs(const TransformerConfig& config);

}  // namespace regulus::backbone

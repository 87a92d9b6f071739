#include "regulus/backbone/config.h"

#include <fmt/format.h>

#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

template <typename T>
T required(const nlohmann::json& args, const char* field, const std::string& where) {
  if (!args.contains(field))
    throw ModelError(fmt::format("has no field '{}'", field), where,
                     "it must be the args.json of an scGPT-style model");
  try {
    return args.at(field).get<T>();
  } catch (const nlohmann::json::exception&) {
    throw ModelError(fmt::format("field '{}' has the wrong type", field), where);
  }
}

template <typename T>
T optional(const nlohmann::json& args, const char* field, T fallback, const std::string& where) {
  return args.contains(field) && !args.at(field).is_null() ? required<T>(args, field, where) : fallback;
}

void check(const TransformerConfig& config, const std::string& where) {
  constexpr std::int64_t kLargest = 1 << 20;
  for (const std::int64_t size : {config.width, config.heads, config.hidden, config.layers, config.max_panel})
    if (size < 1 || size > kLargest)
      throw ModelError(fmt::format("a size of {} is out of range", size), where,
                       "embsize, nheads, d_hid, nlayers and max_seq_len must be positive");
  if (config.width % config.heads != 0)
    throw ModelError(fmt::format("embsize {} is not a multiple of nheads {}", config.width, config.heads),
                     where);
}

void refuse_unsupported(const nlohmann::json& args, const std::string& where) {
  const auto style = optional<std::string>(args, "input_emb_style", "continuous", where);
  if (style != "continuous")
    throw ModelError(fmt::format("input_emb_style '{}' is not supported", style), where,
                     "only continuous value encoders can be probed by gradients");
}

}  // namespace

TransformerConfig config_from_args(const nlohmann::json& args, const std::string& where) {
  if (!args.is_object()) throw ModelError("is not a JSON object", where);
  refuse_unsupported(args, where);
  TransformerConfig config;
  config.width = required<std::int64_t>(args, "embsize", where);
  config.heads = required<std::int64_t>(args, "nheads", where);
  config.hidden = required<std::int64_t>(args, "d_hid", where);
  config.layers = required<std::int64_t>(args, "nlayers", where);
  config.mask_value = optional<double>(args, "mask_value", config.mask_value, where);
  config.pad_value = optional<double>(args, "pad_value", config.pad_value, where);
  config.max_panel = optional<std::int64_t>(args, "max_seq_len", config.max_panel, where);
  const auto bins = optional<std::int64_t>(args, "n_bins", 0, where);
  if (bins > 1) config.value_max = static_cast<double>(bins - 1);
  config.cls = true;
  if (args.contains("regulus")) {
    const auto& own = args.at("regulus");
    config.value_max = optional<double>(own, "value_max", config.value_max, where);
    config.cls = optional<bool>(own, "cls", false, where);
  }
  check(config, where);
  return config;
}

nlohmann::json args_from_config(const TransformerConfig& config) {
  return {{"embsize", config.width},
          {"nheads", config.heads},
          {"d_hid", config.hidden},
          {"nlayers", config.layers},
          {"dropout", 0.0},
          {"max_seq_len", config.max_panel},
          {"pad_token", "<pad>"},
          {"pad_value", config.pad_value},
          {"mask_value", config.mask_value},
          {"input_style", "continuous"},
          {"input_emb_style", "continuous"},
          {"MVC", false},
          {"regulus", {{"value_max", config.value_max}, {"cls", config.cls}}}};
}

std::vector<WeightSpec> weight_specs(const TransformerConfig& c) {
  const std::int64_t d = c.width;
  const std::int64_t f = c.hidden;
  std::vector<WeightSpec> specs{{"encoder.embedding.weight", {c.vocabulary, d}},
                                {"encoder.enc_norm.weight", {d}},
                                {"encoder.enc_norm.bias", {d}},
                                {"value_encoder.linear1.weight", {d, 1}},
                                {"value_encoder.linear1.bias", {d}},
                                {"value_encoder.linear2.weight", {d, d}},
                                {"value_encoder.linear2.bias", {d}},
                                {"value_encoder.norm.weight", {d}},
                                {"value_encoder.norm.bias", {d}}};
  for (std::int64_t k = 0; k < c.layers; ++k) {
    const std::string layer = fmt::format("transformer_encoder.layers.{}.", k);
    const std::vector<WeightSpec> of_layer{{layer + "self_attn.in_proj_weight", {3 * d, d}},
                                           {layer + "self_attn.in_proj_bias", {3 * d}},
                                           {layer + "self_attn.out_proj.weight", {d, d}},
                                           {layer + "self_attn.out_proj.bias", {d}},
                                           {layer + "linear1.weight", {f, d}},
                                           {layer + "linear1.bias", {f}},
                                           {layer + "linear2.weight", {d, f}},
                                           {layer + "linear2.bias", {d}},
                                           {layer + "norm1.weight", {d}},
                                           {layer + "norm1.bias", {d}},
                                           {layer + "norm2.weight", {d}},
                                           {layer + "norm2.bias", {d}}};
    specs.insert(specs.end(), of_layer.begin(), of_layer.end());
  }
  const std::vector<WeightSpec> decoder{{"decoder.fc.0.weight", {d, d}}, {"decoder.fc.0.bias", {d}},
                                        {"decoder.fc.2.weight", {d, d}}, {"decoder.fc.2.bias", {d}},
                                        {"decoder.fc.4.weight", {1, d}}, {"decoder.fc.4.bias", {1}}};
  specs.insert(specs.end(), decoder.begin(), decoder.end());
  return specs;
}

}  // namespace regulus::backbone

#include "regulus/backbone/config.h"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <type_traits>

#include "regulus/core/error.h"

namespace regulus::backbone {

namespace {

/// Stricter than a conversion by the library, which would round 1.5, read true as 1 and overflow on 1e80.
template <typename T>
bool holds(const nlohmann::json& value) {
  if constexpr (std::is_same_v<T, std::int64_t>)
    return value.is_number_integer() &&
           (!value.is_number_unsigned() ||
            value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<std::int64_t>::max()});
  if constexpr (std::is_same_v<T, double>) return value.is_number();
  if constexpr (std::is_same_v<T, bool>) return value.is_boolean();
  return value.is_string();
}

template <typename T>
T required(const nlohmann::json& args, const char* field, const std::string& where) {
  if (!args.contains(field))
    throw ModelError(fmt::format("has no field '{}'", field), where,
                     "it must be the args.json of an scGPT-style model");
  if (!holds<T>(args.at(field))) throw ModelError(fmt::format("field '{}' has the wrong type", field), where);
  return args.at(field).get<T>();
}

template <typename T>
T optional(const nlohmann::json& args, const char* field, T fallback, const std::string& where) {
  return args.contains(field) && !args.at(field).is_null() ? required<T>(args, field, where) : fallback;
}

constexpr std::int64_t kLargest = 1 << 20;

void check_size(std::int64_t size, const std::string& where) {
  if (size < 1 || size > kLargest)
    throw ModelError(fmt::format("a size of {} is out of range", size), where,
                     "embsize, nheads, nlayers and max_seq_len must be positive");
}

void check(const TransformerConfig& config, const std::string& where) {
  for (const std::int64_t size : {config.width, config.heads, config.layers}) check_size(size, where);
  if (config.hidden < 0 || config.hidden > kLargest)
    throw ModelError(fmt::format("d_hid {} is out of range", config.hidden), where);
  if (config.width % config.heads != 0)
    throw ModelError(fmt::format("embsize {} is not a multiple of nheads {}", config.width, config.heads),
                     where);
}

void refuse_unsupported(const nlohmann::json& args, const std::string& where) {
  if (optional<bool>(args, "pre_norm", false, where))
    throw ModelError("pre_norm is not supported", where, "the encoder layers must be post-norm");
  const auto structure = optional<std::string>(args, "model_structure", "transformer", where);
  if (structure != "transformer")
    throw ModelError(fmt::format("model_structure '{}' is not supported", structure), where,
                     "script the model and give it as --model torchscript:FOLDER");
}

CellStyle cell_style(const nlohmann::json& args, const std::string& where) {
  const auto name = optional<std::string>(args, "cell_emb_style", "cls", where);
  if (name == "cls") return CellStyle::Cls;
  if (name == "avg-pool") return CellStyle::AveragePool;
  if (name == "w-pool") return CellStyle::WeightedPool;
  throw ModelError(fmt::format("cell_emb_style '{}' is not supported", name), where);
}

ValueStyle value_style(const nlohmann::json& args, const std::string& where) {
  const auto name = optional<std::string>(args, "input_emb_style", "continuous", where);
  if (name == "continuous") return ValueStyle::Continuous;
  if (name == "scaling") return ValueStyle::Scaling;
  if (name == "category") return ValueStyle::Category;
  throw ModelError(fmt::format("input_emb_style '{}' is not supported", name), where);
}

/// n_bins speaks of the input only where input_style says "binned"; scBenchmark has n_bins but log1p values.
std::int64_t input_bins(const nlohmann::json& args, const std::string& where) {
  const auto bins = optional<std::int64_t>(args, "n_bins", 0, where);
  if (bins > kLargest) throw ModelError(fmt::format("n_bins {} is out of range", bins), where);
  return optional<std::string>(args, "input_style", "", where) == "binned" && bins > 1 ? bins : 0;
}

}  // namespace

InputConvention input_from_args(const nlohmann::json& args, const std::string& where) {
  if (!args.is_object()) throw ModelError("is not a JSON object", where);
  InputConvention input;
  const auto longest = optional<std::int64_t>(args, "train_maxseq", input.max_panel, where);
  input.max_panel = optional<std::int64_t>(args, "max_seq_len", longest, where);
  check_size(input.max_panel, where);
  input.bins = input_bins(args, where);
  if (input.bins > 1) input.value_max = static_cast<double>(input.bins - 1);
  input.cls = true;
  const auto pad_value = optional<double>(args, "pad_value", TransformerConfig{}.pad_value, where);
  input.cls_value = optional<double>(args, "cls_value", pad_value, where);
  if (args.contains("regulus")) {
    const auto& own = args.at("regulus");
    if (!own.is_object()) throw ModelError("field 'regulus' is not an object", where);
    input.value_max = optional<double>(own, "value_max", input.value_max, where);
    input.cls = optional<bool>(own, "cls", false, where);
  }
  return input;
}

TransformerConfig config_from_args(const nlohmann::json& args, const std::string& where) {
  if (!args.is_object()) throw ModelError("is not a JSON object", where);
  refuse_unsupported(args, where);
  TransformerConfig config;
  config.width = required<std::int64_t>(args, "embsize", where);
  config.heads = required<std::int64_t>(args, "nheads", where);
  config.hidden = optional<std::int64_t>(args, "d_hid", 0, where);
  config.layers = required<std::int64_t>(args, "nlayers", where);
  config.mask_value = optional<double>(args, "mask_value", config.mask_value, where);
  config.pad_value = optional<double>(args, "pad_value", config.pad_value, where);
  config.values = value_style(args, where);
  config.cell = cell_style(args, where);
  config.input = input_from_args(args, where);
  check(config, where);
  return config;
}

nlohmann::json args_from_config(const TransformerConfig& config) {
  return {{"embsize", config.width},
          {"nheads", config.heads},
          {"d_hid", config.hidden},
          {"nlayers", config.layers},
          {"dropout", 0.0},
          {"max_seq_len", config.input.max_panel},
          {"pad_token", "<pad>"},
          {"pad_value", config.pad_value},
          {"mask_value", config.mask_value},
          {"input_style", "continuous"},
          {"input_emb_style", "continuous"},
          {"MVC", false},
          {"regulus", {{"value_max", config.input.value_max}, {"cls", config.input.cls}}}};
}

namespace {

using Specs = std::vector<WeightSpec>;

void add_linear(Specs& specs, const std::string& name, std::int64_t out, std::int64_t in) {
  specs.push_back({name + ".weight", {out, in}});
  specs.push_back({name + ".bias", {out}});
}

void add_norm(Specs& specs, const std::string& name, std::int64_t width) {
  specs.push_back({name + ".weight", {width}});
  specs.push_back({name + ".bias", {width}});
}

void add_gene_encoder(Specs& specs, const TransformerConfig& c) {
  specs.push_back({"encoder.embedding.weight", {c.vocabulary, c.table_width()}});
  if (c.projects_tokens()) add_linear(specs, "encoder.projection", c.width, c.token_width);
  if (c.input_norms) add_norm(specs, "encoder.enc_norm", c.width);
}

void add_value_encoder(Specs& specs, const TransformerConfig& c) {
  if (c.values == ValueStyle::Continuous) {
    add_linear(specs, "value_encoder.linear1", c.width, 1);
    add_linear(specs, "value_encoder.linear2", c.width, c.width);
    if (c.input_norms) add_norm(specs, "value_encoder.norm", c.width);
  } else if (c.values == ValueStyle::Category) {
    specs.push_back({"value_encoder.embedding.weight", {c.value_rows, c.width}});
    add_norm(specs, "value_encoder.enc_norm", c.width);
  }
}

void add_batch_inputs(Specs& specs, const TransformerConfig& c) {
  const auto statistics = [&](const std::string& name) {
    specs.push_back({name + ".running_mean", {c.width}});
    specs.push_back({name + ".running_var", {c.width}});
  };
  if (c.batch_labels > 0) {
    specs.push_back({"batch_encoder.embedding.weight", {c.batch_labels, c.width}});
    add_norm(specs, "batch_encoder.enc_norm", c.width);
  }
  if (c.channel_norm == ChannelNorm::Shared) {
    add_norm(specs, "bn", c.width);
    statistics("bn");
  }
  for (std::int64_t label = 0; label < c.norm_labels; ++label) statistics(fmt::format("dsbn.bns.{}", label));
}

void add_layer(Specs& specs, const TransformerConfig& c, std::int64_t index) {
  const std::string layer = fmt::format("transformer_encoder.layers.{}.", index);
  specs.push_back({layer + "self_attn.in_proj_weight", {3 * c.width, c.width}});
  specs.push_back({layer + "self_attn.in_proj_bias", {3 * c.width}});
  add_linear(specs, layer + "self_attn.out_proj", c.width, c.width);
  add_linear(specs, layer + "linear1", c.hidden, c.width);
  add_linear(specs, layer + "linear2", c.width, c.hidden);
  add_norm(specs, layer + "norm1", c.width);
  add_norm(specs, layer + "norm2", c.width);
}

void add_decoder(Specs& specs, const TransformerConfig& c, const std::string& name) {
  add_linear(specs, name + ".0", c.width, c.batch_labels > 0 ? 2 * c.width : c.width);
  add_linear(specs, name + ".2", c.width, c.width);
  add_linear(specs, name + ".4", 1, c.width);
}

void add_mvc(Specs& specs, const TransformerConfig& c) {
  constexpr std::int64_t kQueryWidth = 64;  // hidden width of scGPT's MVC decoders
  const std::int64_t d = c.width;
  const std::int64_t cell = c.batch_labels > 0 ? 2 * d : d;
  if (c.mvc == MvcStyle::TokenQuery)
    for (const char* layer :
         {"mvc_decoder.gene2query.0", "mvc_decoder.gene2query.2", "mvc_decoder.gene2query.4"})
      add_linear(specs, layer, d, d);
  if (c.mvc == MvcStyle::InnerProduct) {
    add_linear(specs, "mvc_decoder.gene2query", d, d);
    specs.push_back({"mvc_decoder.W.weight", {cell, d}});
    if (c.zero_probability) add_linear(specs, "mvc_decoder.W_zero_logit", cell, d);
  }
  if (c.mvc == MvcStyle::ConcatQuery || c.mvc == MvcStyle::SumQuery) {
    const bool concat = c.mvc == MvcStyle::ConcatQuery;
    add_linear(specs, "mvc_decoder.gene2query", concat ? kQueryWidth : d, d);
    add_linear(specs, "mvc_decoder.fc1", kQueryWidth, concat ? d + kQueryWidth : d);
    specs.push_back({"mvc_decoder.hidden_activation.weight", {1}});
    add_linear(specs, "mvc_decoder.fc2", 1, kQueryWidth);
  }
}

}  // namespace

std::vector<WeightSpec> weight_specs(const TransformerConfig& c) {
  Specs specs;
  add_gene_encoder(specs, c);
  add_value_encoder(specs, c);
  add_batch_inputs(specs, c);
  for (std::int64_t k = 0; k < c.layers; ++k) add_layer(specs, c, k);
  add_decoder(specs, c, "decoder.fc");
  if (c.zero_probability) add_decoder(specs, c, "decoder.zero_logit");
  add_mvc(specs, c);
  return specs;
}

}  // namespace regulus::backbone

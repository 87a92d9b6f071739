#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "dual_ops.h"
#include "regulus/backbone/transformer.h"

namespace regulus::backbone {

struct EncoderLayer {
  Linear in_projection, out_projection, feed_forward1, feed_forward2;
  LayerNorm norm1, norm2;
};

/// A model's weights as the passes use them. What a chosen batch label contributes is folded into constants.
struct TransformerWeights {
  std::int64_t heads = 1;
  at::Tensor embedding;                            ///< [tokens, table width]
  std::optional<Linear> projection;                ///< table width -> d
  std::optional<LayerNorm> gene_norm, value_norm;  ///< none in scBenchmark
  ValueStyle values = ValueStyle::Continuous;
  Linear value1, value2;                    ///< Continuous
  at::Tensor value_table;                   ///< Category: [rows, d], normalised
  std::optional<at::Tensor> channel_scale;  ///< [d] a batch norm: x∘scale + shift
  at::Tensor channel_shift;                 ///< [d]
  std::vector<EncoderLayer> layers;
  Linear decoder1, decoder2, decoder3;

  ReadOut read_out = ReadOut::Expression;
  CellStyle cell = CellStyle::Cls;
  std::vector<Linear> query;     ///< Mvc: layers of gene2query
  bool query_of_tokens = false;  ///< Mvc: scBenchmark's, with LeakyReLU between, instead of scGPT's sigmoid
  at::Tensor query_weight;       ///< Mvc of scGPT: W, [d, d]
  at::Tensor query_of_batch;     ///< Mvc of scGPT with batch labels: [d], W's other half times the label

  std::int64_t width() const { return decoder1.weight.size(1); }  ///< d
};

/// On the options' device; float32 where their precision is bfloat16. \throws OptionError as
/// make_transformer()
TransformerWeights unpack(const Model& model, const TransformerOptions& options);

/// Adds bfloat16 copies for tangents of the large matrices: the encoder layers' and the decoder's, except its
/// last, whose product is the derivative itself.
TransformerWeights with_bfloat16_tangents(TransformerWeights weights);

/// Gene encoder. \param gene_ids [n] \return [n, d]
at::Tensor encode_genes(const TransformerWeights& weights, const at::Tensor& gene_ids);

/// Inputs of the encoder from stacked values. \param gene […, d] \param values [P, …]
/// \return [P, …, d]; the tangent part is the derivative of the input by the value times values[1]
at::Tensor encode_inputs(const TransformerWeights& weights, const at::Tensor& gene, const at::Tensor& values);

/// What the MVC decoder asks of the cell: prediction_j = query_j · cell + constant_j.
struct CellQuery {
  at::Tensor query;     ///< [L, d]
  at::Tensor constant;  ///< [L]
};

/// \param gene [L, d] of encode_genes()
CellQuery cell_query(const TransformerWeights& weights, const at::Tensor& gene);

}  // namespace regulus::backbone

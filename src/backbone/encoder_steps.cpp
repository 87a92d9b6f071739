#include "encoder_steps.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <array>

namespace regulus::backbone {

namespace {

constexpr double kLeakySlope = 0.01;

/// y = x Wᵀ. \param x [rows, in] \param y [rows, out], overwritten \param weight [out, in]
template <typename T>
void multiply(const T* x, std::int64_t rows, const at::Tensor& weight, T* y) {
  const at::TensorOptions options = weight.options();
  const at::Tensor input = at::from_blob(const_cast<T*>(x), {rows, weight.size(1)}, options);
  at::Tensor output = at::from_blob(y, {rows, weight.size(0)}, options);
  at::mm_out(output, input, weight.t());
}

template <typename T>
const T* data(const at::Tensor& tensor) {
  return tensor.data_ptr<T>();
}

/// Calls visit(unit, scratch) for all units, shared among the threads.
template <typename Visit>
void in_threads(std::int64_t units, WorkerMemory& memory, Visit visit) {
  at::parallel_for(0, units, 1, [&](std::int64_t begin, std::int64_t end) {
    AlignedBuffer& scratch = memory.scratch[static_cast<std::size_t>(at::get_thread_num())];
    for (std::int64_t unit = begin; unit < end; ++unit) visit(unit, scratch);
  });
}

}  // namespace

/// A layer's projections of a batch: q of some queries, and k | v of all positions.
template <typename T>
struct EncoderSteps<T>::Projections {
  const T *q, *k;
  std::int64_t queries, keys;             // rows of a state
  std::int64_t query_stride, key_stride;  // between rows

  /// One head of a state, or of the tangent of state s as state `states + s`.
  HeadRows<T> rows(std::int64_t state, std::int64_t column, std::int64_t d) const {
    const T* const key = k + state * keys * key_stride + column;
    return {q + state * queries * query_stride + column, key, key + d, query_stride, key_stride};
  }
};

template <typename T>
Batch<T> EncoderSteps<T>::batch(WorkerMemory& memory, bool primal, bool tangent, std::int64_t states,
                                std::int64_t length) const {
  Batch<T> batch{primal, tangent, states, length, weights_.width(), nullptr, nullptr, nullptr, &memory};
  const auto values = static_cast<std::size_t>(batch.rows() * batch.width);
  std::int64_t widest = 3 * batch.width;
  for (const EncoderLayer& layer : weights_.layers)
    widest = std::max(widest, layer.feed_forward1.weight.size(0));
  batch.x = memory.x.reserve<T>(values);
  batch.context = memory.context.reserve<T>(values);
  batch.projected = memory.projected.reserve<T>(static_cast<std::size_t>(batch.rows() * widest));
  return batch;
}

template <typename T>
void EncoderSteps<T>::keep_positions(Batch<T>& batch, const PanelRange& positions) const {
  if (positions.count == batch.length) return;
  const std::int64_t kept = positions.count * batch.width;
  for (std::int64_t s = 0; s < batch.rows() / batch.length; ++s) {
    const T* const from = batch.x + (s * batch.length + positions.first) * batch.width;
    std::copy(from, from + kept, batch.x + s * kept);  // towards the front, in order
  }
  batch.length = positions.count;
}

template <typename T>
typename EncoderSteps<T>::Projections EncoderSteps<T>::project(const EncoderLayer& layer, Batch<T>& batch,
                                                               const PanelRange& queries) const {
  const std::int64_t d = batch.width;
  const std::int64_t keys = batch.length;
  const T* const bias = data<T>(layer.in_projection.bias);
  const at::Tensor& weight = layer.in_projection.weight;
  if (queries.count == keys) {
    multiply(batch.x, batch.rows(), weight, batch.projected);
    if (batch.primal) ops_.add_bias(batch.projected, batch.part_rows(), 3 * d, bias);
    return {batch.projected, batch.projected + d, keys, keys, 3 * d, 3 * d};
  }
  multiply(batch.x, batch.rows(), weight.narrow(0, d, 2 * d), batch.projected);
  if (batch.primal) ops_.add_bias(batch.projected, batch.part_rows(), 2 * d, bias + d);
  T* const q = batch.projected + batch.rows() * 2 * d;
  keep_positions(batch, queries);
  multiply(batch.x, batch.rows(), weight.narrow(0, 0, d), q);
  if (batch.primal) ops_.add_bias(q, batch.part_rows(), d, bias);
  return {q, batch.projected, queries.count, keys, d, 2 * d};
}

template <typename T>
void EncoderSteps<T>::attend(const EncoderLayer& layer, Batch<T>& batch, const AttendedKeys& keys,
                             const PanelRange& queries, const LayerRecord<T>* around) const {
  const Projections projections = project(layer, batch, queries);
  if (batch.primal)
    attend_states(batch, keys, projections);
  else
    attend_directions(batch, keys, projections, *around, queries.first);
}

template <typename T>
void EncoderSteps<T>::attend_states(const Batch<T>& batch, const AttendedKeys& keys,
                                    const Projections& projections) const {
  const std::int64_t heads = weights_.heads;
  const std::int64_t d = batch.width;
  in_threads(batch.states * heads, *batch.memory, [&](std::int64_t unit, AlignedBuffer& scratch) {
    const std::int64_t state = unit / heads;
    const std::int64_t column = unit % heads * (d / heads);
    const auto context = [&](std::int64_t s) { return batch.context + s * batch.length * d + column; };
    HeadRows<T> tangent{};
    T* tangent_context = nullptr;
    if (batch.tangent) {
      tangent = projections.rows(batch.states + state, column, d);
      tangent_context = context(batch.states + state);
    }
    const std::size_t directions = batch.tangent ? 1 : 0;
    attend_head(HeadAttention<T>{.queries = batch.length,
                                 .keys = keys.count,
                                 .key_rows = keys.rows,
                                 .width = d / heads,
                                 .primal = projections.rows(state, column, d),
                                 .tangents = {&tangent, directions},
                                 .output_stride = d,
                                 .context = context(state),
                                 .given_context = nullptr,
                                 .context_tangents = {&tangent_context, directions},
                                 .log_sums = nullptr},
                scratch);
  });
}

template <typename T>
void EncoderSteps<T>::attend_directions(const Batch<T>& batch, const AttendedKeys& keys,
                                        const Projections& projections, const LayerRecord<T>& around,
                                        std::int64_t first_query) const {
  const std::int64_t heads = weights_.heads;
  const std::int64_t d = batch.width;
  const std::int64_t groups = (batch.states + kSharingDirections - 1) / kSharingDirections;
  in_threads(groups * heads, *batch.memory, [&](std::int64_t unit, AlignedBuffer& scratch) {
    const std::int64_t begin = unit / heads * kSharingDirections;
    const std::int64_t column = unit % heads * (d / heads);
    const auto count = static_cast<std::size_t>(std::min(kSharingDirections, batch.states - begin));
    std::array<HeadRows<T>, kSharingDirections> tangents;
    std::array<T*, kSharingDirections> contexts;
    for (std::size_t g = 0; g < count; ++g) {
      const std::int64_t direction = begin + static_cast<std::int64_t>(g);
      tangents[g] = projections.rows(direction, column, d);
      contexts[g] = batch.context + direction * batch.length * d + column;
    }
    const T* const primal = around.qkv + column;
    attend_head(
        HeadAttention<T>{.queries = batch.length,
                         .keys = keys.count,
                         .key_rows = keys.rows,
                         .width = d / heads,
                         .primal = {primal + first_query * 3 * d, primal + d, primal + 2 * d, 3 * d, 3 * d},
                         .tangents = {tangents.data(), count},
                         .output_stride = d,
                         .context = nullptr,
                         .given_context = around.context + first_query * d + column,
                         .context_tangents = {contexts.data(), count},
                         .log_sums = nullptr},
        scratch);
  });
}

template <typename T>
void EncoderSteps<T>::record_attention(const EncoderLayer& layer, const Batch<T>& batch,
                                       const AttendedKeys& keys, const LayerRecord<T>& record) const {
  const std::int64_t d = batch.width;
  const std::int64_t width = d / weights_.heads;
  multiply(batch.x, batch.length, layer.in_projection.weight, record.qkv);
  ops_.add_bias(record.qkv, batch.length, 3 * d, data<T>(layer.in_projection.bias));
  in_threads(weights_.heads, *batch.memory, [&](std::int64_t head, AlignedBuffer& scratch) {
    const T* const q = record.qkv + head * width;
    attend_head(HeadAttention<T>{.queries = batch.length,
                                 .keys = keys.count,
                                 .key_rows = keys.rows,
                                 .width = width,
                                 .primal = {q, q + d, q + 2 * d, 3 * d, 3 * d},
                                 .tangents = {},
                                 .output_stride = d,
                                 .context = record.context + head * width,
                                 .given_context = nullptr,
                                 .context_tangents = {},
                                 .log_sums = record.log_sums + head * batch.length},
                scratch);
  });
}

template <typename T>
void EncoderSteps<T>::normalise(const Linear& update, const LayerNorm& norm, const Batch<T>& batch,
                                const T* values, const NormRecord<T>& record) const {
  const std::int64_t part = batch.part_rows() * batch.width;
  ops_.add_and_normalise({.rows = batch.part_rows(),
                          .width = batch.width,
                          .x = batch.x,
                          .tangent = batch.tangent ? batch.x + part : nullptr,
                          .update = values,
                          .update_tangent = values + part,
                          .update_bias = data<T>(update.bias),
                          .norm = {data<T>(norm.weight), data<T>(norm.bias)},
                          .record = record});
}

template <typename T>
void EncoderSteps<T>::rectify(const Linear& layer, const Batch<T>& batch, T* values, double slope,
                              T* slopes) const {
  const std::int64_t width = layer.weight.size(0);
  T* const tangent = batch.tangent ? values + batch.part_rows() * width : nullptr;
  ops_.rectify(values, tangent, batch.part_rows(), width, data<T>(layer.bias), static_cast<T>(slope), slopes);
}

template <typename T>
void EncoderSteps<T>::complete(const EncoderLayer& layer, const Batch<T>& batch,
                               const LayerRecord<T>* record) const {
  const NormRecord<T> none{nullptr, nullptr};
  multiply(batch.context, batch.rows(), layer.out_projection.weight, batch.projected);
  normalise(layer.out_projection, layer.norm1, batch, batch.projected, record ? record->norm1 : none);
  multiply(batch.x, batch.rows(), layer.feed_forward1.weight, batch.projected);
  rectify(layer.feed_forward1, batch, batch.projected, 0.0, record ? record->slopes : nullptr);
  multiply(batch.projected, batch.rows(), layer.feed_forward2.weight, batch.context);
  normalise(layer.feed_forward2, layer.norm2, batch, batch.context, record ? record->norm2 : none);
}

template <typename T>
void EncoderSteps<T>::normalise_tangent(const LayerNorm& norm, const Batch<T>& batch, const T* values,
                                        const NormRecord<T>& record, std::int64_t first) const {
  ops_.normalise_tangent(batch.x, values, batch.rows(), batch.width,
                         {data<T>(norm.weight), data<T>(norm.bias)},
                         {record.normalised + first * batch.width, record.scale + first}, batch.length);
}

template <typename T>
void EncoderSteps<T>::complete_tangent(const EncoderLayer& layer, const Batch<T>& batch,
                                       const LayerRecord<T>& record, std::int64_t first) const {
  const std::int64_t hidden = layer.feed_forward1.weight.size(0);
  multiply(batch.context, batch.rows(), layer.out_projection.weight, batch.projected);
  normalise_tangent(layer.norm1, batch, batch.projected, record.norm1, first);
  multiply(batch.x, batch.rows(), layer.feed_forward1.weight, batch.projected);
  ops_.rectify_tangent(batch.projected, batch.rows(), hidden, record.slopes + first * hidden, batch.length);
  multiply(batch.projected, batch.rows(), layer.feed_forward2.weight, batch.context);
  normalise_tangent(layer.norm2, batch, batch.context, record.norm2, first);
}

template <typename T>
const T* EncoderSteps<T>::decode(const Batch<T>& batch, const DecoderRecord<T>* record) const {
  multiply(batch.x, batch.rows(), weights_.decoder1.weight, batch.projected);
  rectify(weights_.decoder1, batch, batch.projected, kLeakySlope, record ? record->slopes1 : nullptr);
  multiply(batch.projected, batch.rows(), weights_.decoder2.weight, batch.context);
  rectify(weights_.decoder2, batch, batch.context, kLeakySlope, record ? record->slopes2 : nullptr);
  multiply(batch.context, batch.rows(), weights_.decoder3.weight, batch.projected);
  if (batch.primal) ops_.add_bias(batch.projected, batch.part_rows(), 1, data<T>(weights_.decoder3.bias));
  return batch.projected;
}

template <typename T>
const T* EncoderSteps<T>::decode_tangent(const Batch<T>& batch, const DecoderRecord<T>& record,
                                         std::int64_t first) const {
  const std::int64_t d = batch.width;
  multiply(batch.x, batch.rows(), weights_.decoder1.weight, batch.projected);
  ops_.rectify_tangent(batch.projected, batch.rows(), d, record.slopes1 + first * d, batch.length);
  multiply(batch.projected, batch.rows(), weights_.decoder2.weight, batch.context);
  ops_.rectify_tangent(batch.context, batch.rows(), d, record.slopes2 + first * d, batch.length);
  multiply(batch.context, batch.rows(), weights_.decoder3.weight, batch.projected);
  return batch.projected;
}

template class EncoderSteps<float>;
template class EncoderSteps<double>;

}  // namespace regulus::backbone

#include "streamed_pass.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "blas_threads.h"
#include "first_layer_kernel.h"
#include "regulus/core/error.h"
#include "transformer_pass.h"

#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile with OpenMP: at::parallel_for is a plain loop without"
#endif

namespace regulus::backbone {

namespace {

/// Positions of all states that go through the network together: enough rows for the matrix products, few
/// enough for the caches.
constexpr std::int64_t kPositionsPerBatch = 512;

std::int64_t states_per_batch(std::int64_t length) {
  return std::max<std::int64_t>(1, kPositionsPerBatch / length);
}

std::int64_t directions_per_batch(std::int64_t length) {
  return kSharingDirections *
         std::max<std::int64_t>(1, 2 * kPositionsPerBatch / (kSharingDirections * length));
}

PanelRange all(std::int64_t length) {
  return {0, length};
}

template <typename T>
class StreamedPass final : public PanelPass {
 public:
  StreamedPass(std::shared_ptr<const TransformerWeights> weights, std::shared_ptr<MemoryPool> pool,
               const PanelInput& input)
      : shared_weights_(std::move(weights)),
        weights_(*shared_weights_),
        memory_(pool->take(weights_.layers.size())),
        steps_(weights_),
        background_(input.background.clone()),
        gene_(encode_genes(weights_, input.gene_ids)),
        base_(encode_inputs(weights_, gene_, background_.unsqueeze(0))[0].contiguous()),
        length_(base_.size(0)),
        width_(base_.size(1)),
        targets_(input.targets) {
    find_keys(input.padding);
    find_queries();
    records_.push_back(place_record(0));
    record_first_attention();
  }

  at::Tensor baseline() override;
  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return run(sources, values, false)[0];
  }
  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    require_derivative();
    const at::Tensor result = run(sources, values, true);
    return {result[0], result[1]};
  }
  at::Tensor tangents(const at::Tensor& sources) override;
  at::Tensor attention(const at::Tensor& sources, bool all_layers) override;

 private:
  /// Rows that replace the background's, one for each state. \see ReplacedRow
  struct NewRows {
    at::Tensor positions;  // [B] int64
    at::Tensor inputs;     // [P, B, d]
    at::Tensor qkv;        // [P, B, 3d]
  };

  // --- opening

  void find_keys(const at::Tensor& padding) {
    keys_ = {length_, nullptr};
    if (!padding.defined()) return;
    padding_ = padding;
    key_rows_ = padding.logical_not().nonzero().squeeze(1).contiguous();
    keys_ = {key_rows_.size(0), key_rows_.data_ptr<std::int64_t>()};
  }

  void find_queries() {
    queries_ = targets_;
    if (weights_.read_out != ReadOut::Mvc) return;
    const at::Tensor targets = gene_.narrow(0, targets_.first, targets_.count);
    query_ = cell_query(weights_, targets);
    queries_ = weights_.cell == CellStyle::AveragePool ? all(length_) : PanelRange{0, 1};
  }

  LayerRecord<T> place_record(std::size_t k) {
    const auto positions = static_cast<std::size_t>(length_);
    const auto values = static_cast<std::size_t>(length_ * width_);
    const auto hidden = static_cast<std::size_t>(length_ * weights_.layers[k].feed_forward1.weight.size(0));
    const std::size_t sums = static_cast<std::size_t>(weights_.heads) * positions;
    LayerRecord<T> record{};
    memory_->layers[k].template reserve<T>(
        {3 * values, values, sums, values, positions, values, positions, hidden},
        {&record.qkv, &record.context, &record.log_sums, &record.norm1.normalised, &record.norm1.scale,
         &record.norm2.normalised, &record.norm2.scale, &record.slopes});
    return record;
  }

  /// The background itself as a batch of one.
  Batch<T> background_batch() {
    const Batch<T> batch = steps_.batch(memory_->workers[0], true, false, 1, length_);
    std::copy_n(base_.template data_ptr<T>(), length_ * width_, batch.x);
    return batch;
  }

  void record_first_attention() {
    steps_.record_attention(weights_.layers[0], background_batch(), keys_, records_[0]);
  }

  /// Takes the background through the network, keeping what tangents need.
  void record_all() {
    if (recorded_) return;
    records_.resize(1);  // not what an attempt that failed left
    Batch<T> batch = background_batch();
    for (std::size_t k = 0; k < weights_.layers.size(); ++k) {
      if (k > 0) {
        records_.push_back(place_record(k));
        steps_.record_attention(weights_.layers[k], batch, keys_, records_[k]);
      }
      std::copy_n(records_[k].context, length_ * width_, batch.context);
      steps_.complete(weights_.layers[k], batch, &records_[k]);
    }
    if (weights_.read_out != ReadOut::Mvc) {
      const auto values = static_cast<std::size_t>(length_ * width_);
      T* const slopes = memory_->decoder.template reserve<T>(2 * values);
      decoder_ = {slopes, slopes + values};
      steps_.decode(batch, &decoder_);
    }
    recorded_ = true;
  }

  // --- batches

  bool is_last(std::size_t k) const { return k + 1 == weights_.layers.size(); }
  PanelRange queries_of(std::size_t k) const { return is_last(k) ? queries_ : all(length_); }

  NewRows encode_rows(const at::Tensor& sources, const at::Tensor& parts) const {
    const at::Tensor inputs =
        encode_inputs(weights_, gene_.index_select(0, sources), parts.to(base_.scalar_type())).contiguous();
    return {sources.contiguous(), inputs, linear(weights_.layers[0].in_projection, inputs)};
  }

  /// Calls work(worker, first, count) for one batch after the other, in threads where there are enough.
  template <typename Work>
  void in_batches(std::int64_t states, std::int64_t step, Work work) {
    const std::int64_t batches = (states + step - 1) / step;
    const auto run_some = [&](std::int64_t begin, std::int64_t end) {
      WorkerMemory& worker = memory_->workers[static_cast<std::size_t>(at::get_thread_num())];
      for (std::int64_t b = begin; b < end; ++b) work(worker, b * step, std::min(step, states - b * step));
    };
    if (batches < static_cast<std::int64_t>(memory_->workers.size())) {
      run_some(0, batches);
    } else {
      const SingleThreadedBlas each;
      at::parallel_for(0, batches, 1, run_some);
    }
  }

  /// The states' inputs: the background, or no tangent, but for their own rows.
  void fill_inputs(const NewRows& rows, std::int64_t first, const Batch<T>& batch) const {
    const std::int64_t state = length_ * width_;
    const std::int64_t* const positions = rows.positions.template data_ptr<std::int64_t>();
    for (std::int64_t s = 0; s < batch.rows() / length_; ++s) {
      const bool primal = batch.primal && s < batch.states;
      if (primal)
        std::copy_n(base_.template data_ptr<T>(), state, batch.x + s * state);
      else
        std::fill_n(batch.x + s * state, state, T(0));
      const std::int64_t index = first + s % batch.states;
      std::copy_n(row(rows.inputs, primal ? 0 : 1, index), width_,
                  batch.x + s * state + positions[index] * width_);
    }
  }

  /// One row of [P, B, n].
  static const T* row(const at::Tensor& rows, std::int64_t part, std::int64_t index) {
    return rows.template data_ptr<T>() + (part * rows.size(1) + index) * rows.size(2);
  }

  void attend_first(const NewRows& rows, std::int64_t first, Batch<T>& batch) const {
    const PanelRange queries = queries_of(0);
    steps_.keep_positions(batch, queries);
    at::parallel_for(0, weights_.heads, 1, [&](std::int64_t begin, std::int64_t end) {
      AlignedBuffer& scratch = batch.memory->scratch[static_cast<std::size_t>(at::get_thread_num())];
      std::vector<ReplacedRow<T>> states(static_cast<std::size_t>(batch.states));
      for (std::int64_t head = begin; head < end; ++head) {
        const std::int64_t column = head * (width_ / weights_.heads);
        for (std::int64_t s = 0; s < batch.states; ++s)
          states[static_cast<std::size_t>(s)] = replaced_row(rows, first + s, batch, s, column);
        const T* const base = records_[0].qkv + column;
        attend_replaced({.first_query = queries.first,
                         .queries = queries.count,
                         .keys = keys_.count,
                         .key_rows = keys_.rows,
                         .width = width_ / weights_.heads,
                         .base = {base, base + width_, base + 2 * width_, 3 * width_, 3 * width_},
                         .context = records_[0].context + column,
                         .context_stride = width_,
                         .log_sums = records_[0].log_sums + head * length_,
                         .states = states,
                         .output_stride = width_},
                        scratch);
      }
    });
  }

  ReplacedRow<T> replaced_row(const NewRows& rows, std::int64_t index, const Batch<T>& batch,
                              std::int64_t state, std::int64_t column) const {
    const std::int64_t position = rows.positions.template data_ptr<std::int64_t>()[index];
    const bool attended = !padding_.defined() || !padding_.template data_ptr<bool>()[position];
    const T* const q = row(rows.qkv, 0, index) + column;
    const T* const q_tangent = batch.tangent ? row(rows.qkv, 1, index) + column : nullptr;
    T* const context = batch.context + state * batch.length * width_ + column;
    T* const second = batch.primal ? context + batch.part_rows() * width_ : context;
    return {.position = position,
            .attended = attended,
            .q = q,
            .k = q + width_,
            .v = q + 2 * width_,
            .q_tangent = q_tangent,
            .k_tangent = batch.tangent ? q_tangent + width_ : nullptr,
            .v_tangent = batch.tangent ? q_tangent + 2 * width_ : nullptr,
            .context = batch.primal ? context : nullptr,
            .context_tangent = batch.tangent ? second : nullptr};
  }

  /// The wanted predictions of a batch after the last layer. \param result [P, B, targets]
  void read_out(const Batch<T>& batch, std::int64_t first, at::Tensor& result) const {
    const std::int64_t parts = batch.rows() / batch.part_rows();
    at::Tensor place = result.narrow(1, first, batch.states);
    if (weights_.read_out == ReadOut::Mvc) {
      const at::Tensor x =
          at::from_blob(batch.x, {parts, batch.states, batch.length, width_}, base_.options());
      at::Tensor answer = at::matmul(x.mean(2), query_.query.t());
      if (batch.primal) answer[0].add_(query_.constant);
      place.copy_(answer);
      return;
    }
    const T* const values =
        batch.primal ? steps_.decode(batch) : steps_.decode_tangent(batch, decoder_, targets_.first);
    for (std::int64_t p = 0; p < parts; ++p)
      std::copy_n(values + p * batch.part_rows(), batch.part_rows(),
                  place.select(0, p).template data_ptr<T>());
  }

  at::Tensor run(const at::Tensor& sources, const at::Tensor& values, bool dual) {
    const at::Tensor parts = dual ? at::stack({values, at::ones_like(values)}) : values.unsqueeze(0);
    const NewRows rows = encode_rows(sources, parts);
    at::Tensor result = at::empty({parts.size(0), sources.size(0), targets_.count}, base_.options());
    in_batches(sources.size(0), states_per_batch(length_),
               [&](WorkerMemory& worker, std::int64_t first, std::int64_t count) {
                 Batch<T> batch = steps_.batch(worker, true, dual, count, length_);
                 fill_inputs(rows, first, batch);
                 attend_first(rows, first, batch);
                 steps_.complete(weights_.layers[0], batch);
                 for (std::size_t k = 1; k < weights_.layers.size(); ++k) {
                   steps_.attend(weights_.layers[k], batch, keys_, queries_of(k));
                   steps_.complete(weights_.layers[k], batch);
                 }
                 read_out(batch, first, result);
               });
    return result;
  }

  void require_derivative() const {
    const std::string reason = no_derivative(weights_);
    if (!reason.empty()) throw ModelError(reason, "probe", "ask for vvp, pert, attn or emb");
  }

  std::shared_ptr<const TransformerWeights> shared_weights_;
  const TransformerWeights& weights_;
  std::shared_ptr<PassMemory> memory_;
  EncoderSteps<T> steps_;
  at::Tensor background_;  // [L]
  at::Tensor gene_;        // [L, d] gene part of the input
  at::Tensor base_;        // [L, d] input at the background
  std::int64_t length_, width_;
  PanelRange targets_;    // whose predictions are wanted
  PanelRange queries_{};  // of the last layer
  at::Tensor padding_;    // [L], undefined for none
  at::Tensor key_rows_;   // of the attended keys, if not all
  AttendedKeys keys_{};
  CellQuery query_;                      // of the MVC decoder, for the targets
  std::vector<LayerRecord<T>> records_;  // of the background: the first layer's attention, then all
  DecoderRecord<T> decoder_{};
  bool recorded_ = false;
};

template <typename T>
at::Tensor StreamedPass<T>::baseline() {
  Batch<T> batch = background_batch();
  const std::int64_t offset = queries_of(0).first * width_;
  steps_.keep_positions(batch, queries_of(0));
  std::copy_n(records_[0].context + offset, batch.length * width_, batch.context);
  steps_.complete(weights_.layers[0], batch);
  for (std::size_t k = 1; k < weights_.layers.size(); ++k) {
    steps_.attend(weights_.layers[k], batch, keys_, queries_of(k));
    steps_.complete(weights_.layers[k], batch);
  }
  at::Tensor result = at::empty({1, 1, targets_.count}, base_.options());
  read_out(batch, 0, result);
  return result[0][0];
}

template <typename T>
at::Tensor StreamedPass<T>::tangents(const at::Tensor& sources) {
  require_derivative();
  record_all();
  const at::Tensor own = background_.index_select(0, sources);
  const NewRows rows = encode_rows(sources, at::stack({own, at::ones_like(own)}));
  at::Tensor result = at::empty({1, sources.size(0), targets_.count}, base_.options());
  in_batches(sources.size(0), directions_per_batch(length_),
             [&](WorkerMemory& worker, std::int64_t first, std::int64_t count) {
               Batch<T> batch = steps_.batch(worker, false, true, count, length_);
               fill_inputs(rows, first, batch);
               attend_first(rows, first, batch);
               for (std::size_t k = 0; k < weights_.layers.size(); ++k) {
                 const PanelRange queries = queries_of(k);
                 if (k > 0) steps_.attend(weights_.layers[k], batch, keys_, queries, &records_[k]);
                 steps_.complete_tangent(weights_.layers[k], batch, records_[k], queries.first);
               }
               read_out(batch, first, result);
             });
  return result[0];
}

template <typename T>
at::Tensor StreamedPass<T>::attention(const at::Tensor& sources, bool all_layers) {
  record_all();
  const std::int64_t head_width = width_ / weights_.heads;
  const double scale = 1.0 / std::sqrt(static_cast<double>(head_width));
  std::vector<at::Tensor> columns;
  for (std::size_t k = all_layers ? 0 : records_.size() - 1; k < records_.size(); ++k) {
    const at::Tensor qkv = at::from_blob(records_[k].qkv, {length_, 3 * width_}, base_.options());
    const at::Tensor log_sums =
        at::from_blob(records_[k].log_sums, {weights_.heads, length_}, base_.options());
    const at::Tensor queries = qkv.narrow(0, targets_.first, targets_.count).narrow(1, 0, width_);
    const at::Tensor keys = qkv.index_select(0, sources).narrow(1, width_, width_);
    at::Tensor sum = at::zeros({sources.size(0), targets_.count}, base_.options());
    for (std::int64_t head = 0; head < weights_.heads; ++head) {
      const at::Tensor scores = at::mm(keys.narrow(1, head * head_width, head_width),
                                       queries.narrow(1, head * head_width, head_width).t());
      const at::Tensor total = log_sums[head].narrow(0, targets_.first, targets_.count);
      sum.add_(at::exp2((scores * (scale / std::log(2.0))).sub_(total)));
    }
    if (padding_.defined()) sum.mul_(padding_.index_select(0, sources).logical_not().unsqueeze(1));
    columns.push_back(sum.div_(static_cast<double>(weights_.heads)));
  }
  return at::stack(columns, -1);
}

}  // namespace

std::unique_ptr<PanelPass> open_streamed_pass(std::shared_ptr<const TransformerWeights> weights,
                                              std::shared_ptr<MemoryPool> pool, const PanelInput& input) {
  if (weights->decoder1.weight.scalar_type() == at::kDouble)
    return std::make_unique<StreamedPass<double>>(std::move(weights), std::move(pool), input);
  return std::make_unique<StreamedPass<float>>(std::move(weights), std::move(pool), input);
}

}  // namespace regulus::backbone

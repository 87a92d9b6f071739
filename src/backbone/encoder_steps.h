#pragma once

#include <cstdint>

#include "attention_kernel.h"
#include "fused_ops.h"
#include "pass_memory.h"
#include "regulus/backbone/backbone.h"
#include "transformer_weights.h"

namespace regulus::backbone {

/// Directions that share one evaluation of A: enough to make it cheap beside them, few enough for the caches.
constexpr std::int64_t kSharingDirections = 8;

/// The keys of a panel that are attended to.
struct AttendedKeys {
  std::int64_t count;
  const std::int64_t* rows;  ///< null for 0, 1, 2, …
};

/// States on their way through the encoder. Axis 0 of the arrays is [primal], [primal, tangent] or, around a
/// recorded primal, [tangent]; then come states, positions and columns, contiguous.
template <typename T>
struct Batch {
  bool primal, tangent;
  std::int64_t states, length, width;
  T* x;
  T* projected;  ///< room for a layer's widest projection
  T* context;    ///< what attention returns
  WorkerMemory* memory;

  std::int64_t part_rows() const { return states * length; }
  std::int64_t rows() const { return part_rows() * (primal && tangent ? 2 : 1); }
};

/// What the tangents around one shared primal need of a layer.
template <typename T>
struct LayerRecord {
  T* qkv;       ///< [L, 3d]
  T* context;   ///< [L, d]
  T* log_sums;  ///< [heads, L] of the attention \see HeadAttention
  NormRecord<T> norm1, norm2;
  T* slopes;  ///< [L, hidden] of the ReLU
};

/// And of the expression decoder.
template <typename T>
struct DecoderRecord {
  T *slopes1, *slopes2;  ///< [L, d]
};

/// The encoder's layers and the decoder, a step at a time, on primal and tangents together. Matrix products
/// and heads are shared among the threads, unless the caller is one of several threads already.
/// \tparam T float or double
template <typename T>
class EncoderSteps {
 public:
  /// \param weights must outlive this
  explicit EncoderSteps(const TransformerWeights& weights) : weights_(weights), ops_(fused_ops<T>()) {}

  /// A batch of unset values in a worker's memory.
  Batch<T> batch(WorkerMemory& memory, bool primal, bool tangent, std::int64_t states,
                 std::int64_t length) const;

  /// x -> context of some queries, to which x and the batch shrink. \param around the primal of a batch
  /// without one
  void attend(const EncoderLayer& layer, Batch<T>& batch, const AttendedKeys& keys, const PanelRange& queries,
              const LayerRecord<T>* around = nullptr) const;

  /// x of one state -> record.qkv, context and log_sums.
  void record_attention(const EncoderLayer& layer, const Batch<T>& batch, const AttendedKeys& keys,
                        const LayerRecord<T>& record) const;

  /// context, x -> x after the rest of the layer. \param record receives what tangents need; null for none
  void complete(const EncoderLayer& layer, const Batch<T>& batch,
                const LayerRecord<T>* record = nullptr) const;

  /// The same for tangents alone. \param first position of the record at which the batch begins
  void complete_tangent(const EncoderLayer& layer, const Batch<T>& batch, const LayerRecord<T>& record,
                        std::int64_t first) const;

  /// Expression decoder. \param record receives what tangents need; null for none \return [rows]
  const T* decode(const Batch<T>& batch, const DecoderRecord<T>* record = nullptr) const;
  const T* decode_tangent(const Batch<T>& batch, const DecoderRecord<T>& record, std::int64_t first) const;

  /// Drops all other positions of x.
  void keep_positions(Batch<T>& batch, const PanelRange& positions) const;

 private:
  struct Projections;
  Projections project(const EncoderLayer& layer, Batch<T>& batch, const PanelRange& queries) const;
  void attend_states(const Batch<T>& batch, const AttendedKeys& keys, const Projections& projections) const;
  void attend_directions(const Batch<T>& batch, const AttendedKeys& keys, const Projections& projections,
                         const LayerRecord<T>& around, std::int64_t first_query) const;
  void normalise(const Linear& update, const LayerNorm& norm, const Batch<T>& batch, const T* values,
                 const NormRecord<T>& record) const;
  void normalise_tangent(const LayerNorm& norm, const Batch<T>& batch, const T* values,
                         const NormRecord<T>& record, std::int64_t first) const;
  void rectify(const Linear& layer, const Batch<T>& batch, T* values, double slope, T* slopes) const;

  const TransformerWeights& weights_;
  const FusedOps<T>& ops_;
};

extern template class EncoderSteps<float>;
extern template class EncoderSteps<double>;

}  // namespace regulus::backbone

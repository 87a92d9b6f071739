#include "first_layer_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd_targets.h"

// Everything up to HWY_AFTER_NAMESPACE is compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backbone/first_layer_kernel.cpp"
#include <hwy/foreach_target.h>  // before highway.h
// clang-format off: after foreach_target.h
#include <hwy/highway.h>

#include "backbone/attention_tiles-inl.h"
#include "backbone/columns-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace regulus::backbone {
namespace HWY_NAMESPACE {

template <typename T>
class ReplacedKernel : Tiles<T> {
  using typename Tiles<T>::D;
  using typename Tiles<T>::V;
  using typename Tiles<T>::Row;
  using typename Tiles<T>::Tile;
  using Tiles<T>::load_row;
  using Tiles<T>::store_row;
  using Tiles<T>::multiply_add;
  using Tiles<T>::zero_tile;
  using Tiles<T>::exp2;
  using Tiles<T>::strip;

 public:
  ReplacedKernel(const FirstLayerHead<T>& head, AlignedBuffer& scratch)
      : head_(head),
        query_count_(static_cast<std::size_t>(head.queries)),
        first_query_(static_cast<std::size_t>(head.first_query)),
        keys_(static_cast<std::size_t>(head.keys)),
        width_(static_cast<std::size_t>(head.width)),
        strip_(strip()),
        scale_(static_cast<T>(1.0 / std::sqrt(static_cast<double>(head.width)))) {
    const std::size_t sizes[] = {width_ * strip_, width_ * strip_, width_ * strip_, width_ * strip_, strip_,
                                 strip_,          width_ * kRows,  keys_,           width_,          width_};
    T** const places[] = {&queries_,  &contexts_, &new_contexts_, &new_tangents_, &log_sums_,
                          &attended_, &new_keys_, &weights_,      &sum_,          &sum_tangent_};
    scratch.reserve(sizes, places);
  }

  void run() {
    for (std::size_t begin = 0; begin < query_count_; begin += strip_) {
      const std::size_t count = std::min(strip_, query_count_ - begin);
      pack(begin, count);
      for (const ReplacedRow<T>& state : head_.states) {
        if (state.attended)
          update(state, begin, count);
        else
          keep(state, begin, count);
      }
    }
    for (const ReplacedRow<T>& state : head_.states) {
      const std::int64_t own = state.position - head_.first_query;
      if (own >= 0 && own < head_.queries) evaluate(state, static_cast<std::size_t>(own));
    }
  }

 private:
  const T* old_key(const ReplacedRow<T>& state) const {
    return head_.base.k + state.position * head_.base.key_stride;
  }
  const T* old_value(const ReplacedRow<T>& state) const {
    return head_.base.v + state.position * head_.base.key_stride;
  }
  const T* base_query(std::size_t query) const {
    return head_.base.q + (head_.first_query + static_cast<std::int64_t>(query)) * head_.base.query_stride;
  }
  const T* base_context(std::size_t query) const {
    return head_.context + (head_.first_query + static_cast<std::int64_t>(query)) * head_.context_stride;
  }

  // --- a strip of queries, along the vectors; rows beyond the end repeat the last one

  void pack(std::size_t begin, std::size_t count) {
    for (std::size_t i = 0; i < strip_; ++i) {
      const std::size_t query = begin + std::min(i, count - 1);
      const T* const q = base_query(query);
      const T* const context = base_context(query);
      for (std::size_t c = 0; c < width_; ++c) {
        queries_[c * strip_ + i] = static_cast<T>(kLog2E) * scale_ * q[c];
        contexts_[c * strip_ + i] = context[c];
      }
      log_sums_[i] = head_.log_sums[first_query_ + query];
    }
  }

  /// What a query's results take from its old ones and from the new row.
  struct Mixture {
    V kept, removed, added;  // O' = kept O − removed v_i + added v'_i
  };

  /// \param after log₂ of the new row's weight relative to the old sum \param share old weight of the old row
  static HWY_INLINE Mixture mix(V after, V share) {
    const D d;
    const V largest = hn::Max(after, hn::Zero(d));
    const V fresh = exp2(hn::Sub(after, largest));
    const V others = exp2(hn::Neg(largest));
    const V total = hn::MulAdd(others, hn::Sub(hn::Set(d, T(1)), share), fresh);
    const V kept = hn::Div(others, total);
    return {kept, hn::Mul(kept, share), hn::Div(fresh, total)};
  }

  void update(const ReplacedRow<T>& state, std::size_t begin, std::size_t count) {
    pack_new_keys(state);
    Tile scores = zero_tile();
    multiply_add(new_keys_, queries_, width_, scores);  // old key, new key, its tangent
    const D d;
    const std::size_t n = hn::Lanes(d);
    update_vector(state, 0, scores.r0.a, scores.r1.a, scores.r2.a);
    update_vector(state, n, scores.r0.b, scores.r1.b, scores.r2.b);
    update_vector(state, 2 * n, scores.r0.c, scores.r1.c, scores.r2.c);
    unpack(state, begin, count);
    for (std::size_t i = 0; i < count; ++i)
      if (attended_[i] > T(0.5)) evaluate(state, begin + i);
  }

  void pack_new_keys(const ReplacedRow<T>& state) {
    const T* const before = old_key(state);
    for (std::size_t c = 0; c < width_; ++c) {
      T* const to = new_keys_ + c * kRows;
      to[0] = before[c];
      to[1] = state.k[c];
      to[2] = state.k_tangent == nullptr ? T(0) : state.k_tangent[c];
      to[3] = T(0);
    }
  }

  /// One vector of queries. \param lane of its first one
  HWY_INLINE void update_vector(const ReplacedRow<T>& state, std::size_t lane, V before, V after, V change) {
    const D d;
    const V log_sums = hn::Load(d, log_sums_ + lane);
    const V share = exp2(hn::Min(hn::Sub(before, log_sums), hn::Zero(d)));
    hn::Store(share, d, attended_ + lane);
    const Mixture mixture = mix(hn::Sub(after, log_sums), share);
    const V slope = hn::Mul(change, hn::Set(d, static_cast<T>(1.0 / kLog2E)));
    const T* const removed = old_value(state);
    for (std::size_t c = 0; c < width_; ++c) {
      const std::size_t at = c * strip_ + lane;
      const V added = hn::Set(d, state.v[c]);
      V context = hn::Mul(mixture.kept, hn::Load(d, contexts_ + at));
      context = hn::NegMulAdd(mixture.removed, hn::Set(d, removed[c]), context);
      context = hn::MulAdd(mixture.added, added, context);
      hn::Store(context, d, new_contexts_ + at);
      if (state.context_tangent == nullptr) continue;
      const V direct = hn::MulAdd(slope, hn::Sub(added, context), hn::Set(d, state.v_tangent[c]));
      hn::Store(hn::Mul(mixture.added, direct), d, new_tangents_ + at);
    }
  }

  void unpack(const ReplacedRow<T>& state, std::size_t begin, std::size_t count) const {
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = (begin + i) * static_cast<std::size_t>(head_.output_stride);
      if (state.context != nullptr)
        for (std::size_t c = 0; c < width_; ++c) state.context[row + c] = new_contexts_[c * strip_ + i];
      if (state.context_tangent != nullptr)
        for (std::size_t c = 0; c < width_; ++c)
          state.context_tangent[row + c] = new_tangents_[c * strip_ + i];
    }
  }

  /// The row is no key: other queries do not see it.
  void keep(const ReplacedRow<T>& state, std::size_t begin, std::size_t count) const {
    for (std::size_t query = begin; query < begin + count; ++query) {
      const std::size_t row = query * static_cast<std::size_t>(head_.output_stride);
      if (state.context != nullptr) std::copy_n(base_context(query), width_, state.context + row);
      if (state.context_tangent != nullptr) std::fill_n(state.context_tangent + row, width_, T(0));
    }
  }

  // --- one query afresh

  void evaluate(const ReplacedRow<T>& state, std::size_t query) {
    const bool own = first_query_ + query == static_cast<std::size_t>(state.position);
    const T* const q = own ? state.q : base_query(query);
    const T* const q_tangent = own ? state.q_tangent : nullptr;
    const T largest = score(state, q);
    std::fill_n(sum_, width_, T(0));
    std::fill_n(sum_tangent_, width_, T(0));
    T total = T(0), total_tangent = T(0);
    for (std::size_t j = 0; j < keys_; ++j) {
      const Key key = key_at(state, j);
      const T weight = std::exp(weights_[j] - largest);
      T change = T(0);
      if (q_tangent != nullptr) change += scale_ * dot(q_tangent, key.k, width_);
      if (key.replaced && state.k_tangent != nullptr) change += scale_ * dot(q, state.k_tangent, width_);
      total += weight;
      total_tangent += weight * change;
      add_product(weight, key.v, sum_, width_);
      add_product(weight * change, key.v, sum_tangent_, width_);
      if (key.replaced && state.v_tangent != nullptr)
        add_product(weight, state.v_tangent, sum_tangent_, width_);
    }
    if (keys_ == 0) total = T(1);
    store(state, query, total, total_tangent);
  }

  struct Key {
    const T *k, *v;
    bool replaced;
  };

  Key key_at(const ReplacedRow<T>& state, std::size_t j) const {
    const std::int64_t row = head_.key_rows == nullptr ? static_cast<std::int64_t>(j) : head_.key_rows[j];
    if (row == state.position) return {state.k, state.v, true};
    return {head_.base.k + row * head_.base.key_stride, head_.base.v + row * head_.base.key_stride, false};
  }

  /// Scores of a query. \return the largest
  T score(const ReplacedRow<T>& state, const T* q) {
    T largest = -std::numeric_limits<T>::infinity();
    for (std::size_t j = 0; j < keys_; ++j) {
      weights_[j] = scale_ * dot(q, key_at(state, j).k, width_);
      largest = std::max(largest, weights_[j]);
    }
    return largest;
  }

  void store(const ReplacedRow<T>& state, std::size_t query, T total, T total_tangent) const {
    const std::size_t row = query * static_cast<std::size_t>(head_.output_stride);
    for (std::size_t c = 0; c < width_; ++c) {
      const T context = sum_[c] / total;
      if (state.context != nullptr) state.context[row + c] = context;
      if (state.context_tangent != nullptr)
        state.context_tangent[row + c] = (sum_tangent_[c] - total_tangent * context) / total;
    }
  }

  const FirstLayerHead<T>& head_;
  std::size_t query_count_, first_query_, keys_, width_, strip_;
  T scale_;
  T *queries_, *contexts_, *new_contexts_, *new_tangents_;  // [d_h][strip]
  T *log_sums_, *attended_;                                 // [strip]
  T* new_keys_;                                             // [d_h][4]
  T* weights_;                                              // [keys] scores of one query
  T *sum_, *sum_tangent_;                                   // [d_h] of one query
};

void replace_float(const FirstLayerHead<float>& head, AlignedBuffer& scratch) {
  ReplacedKernel<float>(head, scratch).run();
}

void replace_double(const FirstLayerHead<double>& head, AlignedBuffer& scratch) {
  ReplacedKernel<double>(head, scratch).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace regulus::backbone {

HWY_EXPORT(replace_float);
HWY_EXPORT(replace_double);

void attend_replaced(const FirstLayerHead<float>& head, AlignedBuffer& scratch) {
  HWY_DYNAMIC_DISPATCH(replace_float)(head, scratch);
}

void attend_replaced(const FirstLayerHead<double>& head, AlignedBuffer& scratch) {
  HWY_DYNAMIC_DISPATCH(replace_double)(head, scratch);
}

}  // namespace regulus::backbone
#endif  // HWY_ONCE

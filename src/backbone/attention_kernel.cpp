#include "attention_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "simd_targets.h"

// Everything up to HWY_AFTER_NAMESPACE is compiled once for each instruction set.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backbone/attention_kernel.cpp"
#include <hwy/foreach_target.h>  // before highway.h
// clang-format off: after foreach_target.h
#include <hwy/highway.h>

#include "backbone/attention_tiles-inl.h"
#include "backbone/columns-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace regulus::backbone {
namespace HWY_NAMESPACE {

/// Keys whose weights are held at once: the tiles of weights and of weighted tangents stay in the L1 cache.
constexpr std::size_t kKeyBlock = 64;

constexpr double kLn2 = 0.69314718055994530942;

template <typename T>
class Kernel : Tiles<T> {
  using typename Tiles<T>::D;
  using typename Tiles<T>::V;
  using typename Tiles<T>::Row;
  using typename Tiles<T>::Tile;
  using Tiles<T>::zero_row;
  using Tiles<T>::load_row;
  using Tiles<T>::store_row;
  using Tiles<T>::times;
  using Tiles<T>::plus;
  using Tiles<T>::minus;
  using Tiles<T>::largest;
  using Tiles<T>::multiply_add;
  using Tiles<T>::load_tile;
  using Tiles<T>::store_tile;
  using Tiles<T>::zero_tile;
  using Tiles<T>::exp2;
  using Tiles<T>::safe_exp2;
  using Tiles<T>::strip;
  using Tiles<T>::transpose;

 public:
  Kernel(const HeadAttention<T>& head, AlignedBuffer& scratch)
      : head_(head),
        query_count_(static_cast<std::size_t>(head.queries)),
        length_(static_cast<std::size_t>(head.keys)),
        width_(static_cast<std::size_t>(head.width)),
        output_stride_(static_cast<std::size_t>(head.output_stride)),
        directions_(head.tangents.size()),
        strip_(strip()),
        padded_length_(round_up(length_, kRows)),
        blocks_(round_up(length_, kKeyBlock) / kKeyBlock),
        padded_width_(round_up(width_, kRows)) {
    lay_out(scratch);
  }

  void run() {
    if (length_ > 0) {
      pack_keys(head_.primal, keys_);
      pack_values(head_.primal, values_, T(1));
    }
    for (std::size_t g = 0; g < directions_ && length_ > 0; ++g) {
      pack_keys(head_.tangents[g], key_tangents(g));
      pack_values(head_.tangents[g], value_tangents(g), static_cast<T>(kLog2E));
    }
    safe_ = scores_are_safe();
    for (std::size_t begin = 0; begin < query_count_; begin += strip_) attend_strip(begin);
  }

 private:
  // --- memory

  static std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

  void lay_out(AlignedBuffer& scratch) {
    const std::size_t parts = 1 + directions_;
    const std::size_t sizes[] = {padded_length_ * width_ * parts,
                                 blocks_ * padded_width_ * kKeyBlock * parts,
                                 width_ * strip_ * parts,
                                 padded_width_ * strip_ * parts,
                                 strip_ * parts,
                                 strip_,
                                 kKeyBlock * strip_,
                                 kKeyBlock * strip_};
    T** const places[] = {&keys_, &values_, &queries_, &contexts_, &sums_, &maxima_, &weights_, &weighted_};
    scratch.reserve(sizes, places);
  }

  T* key_tangents(std::size_t g) const { return keys_ + (g + 1) * padded_length_ * width_; }
  T* value_tangents(std::size_t g) const { return values_ + (g + 1) * blocks_ * padded_width_ * kKeyBlock; }
  T* query_tangents(std::size_t g) const { return queries_ + (g + 1) * width_ * strip_; }
  T* context_tangents(std::size_t g) const { return contexts_ + (g + 1) * padded_width_ * strip_; }
  T* sum_tangents(std::size_t g) const { return sums_ + (g + 1) * strip_; }

  // --- packing: what a register tile reads in one step lies together

  // Rows beyond the end repeat the last one: their results are not used, and they cost no branch.

  /// Where key j lies among the rows of k and v.
  std::size_t key_row(std::size_t j) const {
    return head_.key_rows == nullptr ? j : static_cast<std::size_t>(head_.key_rows[j]);
  }

  /// Where the packed values of the block of key j begin.
  template <typename Values>
  Values* values_of_block(Values* packed, std::size_t j) const {
    return packed + j / kKeyBlock * padded_width_ * kKeyBlock;
  }

  /// [L, d_h] -> [L / 4][d_h][4]
  void pack_keys(const HeadRows<T>& rows, T* packed) const {
    const auto stride = static_cast<std::size_t>(rows.key_stride);
    for (std::size_t j = 0; j < padded_length_; j += kRows)
      transpose([&](std::size_t m)
                    HWY_ATTR { return rows.k + key_row(std::min(j + m, length_ - 1)) * stride; },
                kRows, width_, T(1), packed + j * width_, kRows);
  }

  /// [L, d_h] -> [L / block][d_h / 4][block][4], zeros in the columns beyond the end.
  void pack_values(const HeadRows<T>& rows, T* packed, T factor) const {
    const auto stride = static_cast<std::size_t>(rows.key_stride);
    const hn::CappedTag<T, kRows> d;
    for (std::size_t j = 0; j < length_; ++j) {
      const T* const row = rows.v + key_row(j) * stride;
      T* const block = values_of_block(packed, j) + j % kKeyBlock * kRows;
      std::size_t c = 0;
      for (; c + kRows <= width_; c += kRows)
        for (std::size_t m = 0; m < kRows; m += hn::Lanes(d))
          hn::Store(hn::Mul(hn::Set(d, factor), hn::LoadU(d, row + c + m)), d, block + c * kKeyBlock + m);
      for (std::size_t m = 0; c + m < padded_width_; ++m)
        block[c * kKeyBlock + m] = c + m < width_ ? factor * row[c + m] : T(0);
    }
  }

  /// `count` queries from `begin` -> [d_h][strip], scaled so that the scores are exponents of 2.
  void pack_queries(const HeadRows<T>& rows, std::size_t begin, std::size_t count, T* packed) const {
    const auto stride = static_cast<std::size_t>(rows.query_stride);
    const T factor = static_cast<T>(kLog2E / std::sqrt(static_cast<double>(width_)));
    transpose([&](std::size_t i) HWY_ATTR { return rows.q + (begin + std::min(i, count - 1)) * stride; },
              strip_, width_, factor, packed, strip_);
  }

  /// Whether no score is so large that its exponential, or the sum of all, leaves the range of numbers: then
  /// no largest score is needed. |q·k| ≤ |q||k|
  bool scores_are_safe() const {
    T query = T(0), key = T(0);
    bool numbers = true;
    const auto grow = [&](T& most, const T* row) {
      const T square = dot(row, row, width_);
      numbers = numbers && square >= T(0);  // not with NaN
      most = std::max(most, square);
    };
    for (std::size_t i = 0; i < query_count_; ++i)
      grow(query, head_.primal.q + i * static_cast<std::size_t>(head_.primal.query_stride));
    for (std::size_t j = 0; j < length_; ++j)
      grow(key, head_.primal.k + key_row(j) * static_cast<std::size_t>(head_.primal.key_stride));
    const double bound = std::sqrt(static_cast<double>(query) * static_cast<double>(key));
    return numbers && bound * kLog2E / std::sqrt(static_cast<double>(width_)) <= Exp2<T>::kSafe;
  }

  // --- the attention of one strip of queries

  void attend_strip(std::size_t begin) {
    const std::size_t count = std::min(strip_, query_count_ - begin);
    start_strip(begin, count);
    for (std::size_t first = 0; first < length_; first += kKeyBlock) {
      const std::size_t keys = std::min(kKeyBlock, length_ - first);
      if (safe_) {
        score_and_weigh(first, keys);
      } else {
        score(first, keys);
        weigh(keys);
      }
      if (head_.context != nullptr) gather(values_, first, keys, weights_, contexts_);
      for (std::size_t g = 0; g < directions_; ++g) {
        weigh_tangent(g, first, keys);
        gather(values_, first, keys, weighted_, context_tangents(g));
        gather(value_tangents(g), first, keys, weights_, context_tangents(g));
      }
    }
    finish_strip(begin, count);
  }

  void start_strip(std::size_t begin, std::size_t count) {
    pack_queries(head_.primal, begin, count, queries_);
    for (std::size_t g = 0; g < directions_; ++g)
      pack_queries(head_.tangents[g], begin, count, query_tangents(g));
    std::fill_n(contexts_, padded_width_ * strip_ * (1 + directions_), T(0));
    std::fill_n(sums_, strip_ * (1 + directions_), T(0));
    std::fill_n(maxima_, strip_, safe_ ? T(0) : -std::numeric_limits<T>::infinity());
  }

  /// Scores of a block of keys.
  HWY_NOINLINE void score(std::size_t first, std::size_t keys) {
    for (std::size_t j = 0; j < keys; j += kRows) {
      Tile tile = zero_tile();
      multiply_add(keys_ + (first + j) * width_, queries_, width_, tile);
      store_tile(tile, weights_ + j * strip_);
    }
  }

  /// Scores -> weights relative to the largest score so far, to which earlier sums are brought.
  HWY_NOINLINE void weigh(std::size_t keys) {
    const Row before = load_row(maxima_);
    Row maxima = before;
    for (std::size_t j = 0; j < keys; ++j) maxima = largest(maxima, load_row(weights_ + j * strip_));
    if (grew(before, maxima)) rescale(exp2(minus(before, maxima)));
    store_row(maxima, maxima_);
    Row sum = zero_row();
    for (std::size_t j = 0; j < keys; ++j) {
      T* const place = weights_ + j * strip_;
      const Row weight = exp2(minus(load_row(place), maxima));
      sum = plus(sum, weight);
      store_row(weight, place);
    }
    store_row(plus(load_row(sums_), sum), sums_);
    for (std::size_t j = keys; j < round_up(keys, kRows); ++j) store_row(zero_row(), weights_ + j * strip_);
  }

  /// Scores -> weights at once, relative to 1.
  HWY_NOINLINE void score_and_weigh(std::size_t first, std::size_t keys) {
    Row sum = load_row(sums_);
    for (std::size_t j = 0; j < keys; j += kRows) {
      Tile tile = zero_tile();
      multiply_add(keys_ + (first + j) * width_, queries_, width_, tile);
      tile = {safe_exp2(tile.r0), safe_exp2(tile.r1), safe_exp2(tile.r2), safe_exp2(tile.r3)};
      if (j + kRows > keys) drop_rows(keys - j, tile);
      sum = plus(sum, plus(plus(tile.r0, tile.r1), plus(tile.r2, tile.r3)));
      store_tile(tile, weights_ + j * strip_);
    }
    store_row(sum, sums_);
  }

  /// Zeros in the rows from `count` on.
  static HWY_INLINE void drop_rows(std::size_t count, Tile& tile) {
    if (count <= 1) tile.r1 = zero_row();
    if (count <= 2) tile.r2 = zero_row();
    tile.r3 = zero_row();
  }

  static HWY_INLINE bool grew(const Row& before, const Row& after) {
    const D d;
    return !hn::AllTrue(d, hn::Eq(before.a, after.a)) || !hn::AllTrue(d, hn::Eq(before.b, after.b)) ||
           !hn::AllTrue(d, hn::Eq(before.c, after.c));
  }

  HWY_INLINE void rescale(const Row& factor) {
    const std::size_t parts = 1 + directions_;
    for (std::size_t i = 0; i < padded_width_ * parts; ++i) {
      T* const place = contexts_ + i * strip_;
      store_row(times(load_row(place), factor), place);
    }
    for (std::size_t i = 0; i < parts; ++i) {
      T* const place = sums_ + i * strip_;
      store_row(times(load_row(place), factor), place);
    }
  }

  /// Weights times tangents of the scores, in one direction.
  HWY_NOINLINE void weigh_tangent(std::size_t g, std::size_t first, std::size_t keys) {
    Row sum = zero_row();
    for (std::size_t j = 0; j < keys; j += kRows) {
      const std::size_t at = (first + j) * width_;
      Tile tile = zero_tile();
      multiply_add(keys_ + at, query_tangents(g), width_, tile);
      multiply_add(key_tangents(g) + at, queries_, width_, tile);
      const T* const weights = weights_ + j * strip_;
      tile.r0 = times(tile.r0, load_row(weights));
      tile.r1 = times(tile.r1, load_row(weights + strip_));
      tile.r2 = times(tile.r2, load_row(weights + 2 * strip_));
      tile.r3 = times(tile.r3, load_row(weights + 3 * strip_));
      store_tile(tile, weighted_ + j * strip_);
      sum = plus(sum, plus(plus(tile.r0, tile.r1), plus(tile.r2, tile.r3)));
    }
    store_row(plus(load_row(sum_tangents(g)), sum), sum_tangents(g));
  }

  /// sums += weightsᵀ values, transposed: [d_h][strip].
  HWY_NOINLINE void gather(const T* values, std::size_t first, std::size_t keys, const T* weights,
                           T* sums) const {
    const T* const block = values_of_block(values, first);
    for (std::size_t c = 0; c < padded_width_; c += kRows) {
      Tile tile = load_tile(sums + c * strip_);
      multiply_add(block + c * kKeyBlock, weights, keys, tile);
      store_tile(tile, sums + c * strip_);
    }
  }

  // --- results

  void finish_strip(std::size_t begin, std::size_t count) {
    const std::size_t offset = begin * output_stride_;
    if (length_ == 0) std::fill_n(sums_, strip_, T(1));  // no key: 0 / 1
    if (head_.log_sums != nullptr)
      for (std::size_t i = 0; i < count; ++i) head_.log_sums[begin + i] = maxima_[i] + std::log2(sums_[i]);
    if (head_.context != nullptr) {
      divide_context();
      unpack(contexts_, count, head_.context + offset);
    } else {
      pack_context(head_.given_context + offset, count);
    }
    for (std::size_t g = 0; g < directions_; ++g) {
      divide_tangent(g);
      unpack(context_tangents(g), count, head_.context_tangents[g] + offset);
    }
  }

  void divide_context() {
    const Row sum = load_row(sums_);
    for (std::size_t c = 0; c < width_; ++c) {
      T* const place = contexts_ + c * strip_;
      const Row row = load_row(place);
      store_row({hn::Div(row.a, sum.a), hn::Div(row.b, sum.b), hn::Div(row.c, sum.c)}, place);
    }
  }

  /// Ȯ from the sums; scores, and with them the tangents, were in units of ln 2.
  void divide_tangent(std::size_t g) {
    const Row total = load_row(sums_);
    const V ln2 = hn::Set(D(), static_cast<T>(kLn2));
    const Row factor = {hn::Div(ln2, total.a), hn::Div(ln2, total.b), hn::Div(ln2, total.c)};
    const Row mean = load_row(sum_tangents(g));
    for (std::size_t c = 0; c < width_; ++c) {
      T* const place = context_tangents(g) + c * strip_;
      const Row change = minus(load_row(place), times(mean, load_row(contexts_ + c * strip_)));
      store_row(times(change, factor), place);
    }
  }

  void pack_context(const T* rows, std::size_t count) {
    transpose([&](std::size_t i) HWY_ATTR { return rows + i * output_stride_; }, count, width_, T(1),
              contexts_, strip_);
  }

  void unpack(const T* columns, std::size_t count, T* rows) const {
    transpose([&](std::size_t c) HWY_ATTR { return columns + c * strip_; }, width_, count, T(1), rows,
              output_stride_);
  }

  const HeadAttention<T>& head_;
  std::size_t query_count_, length_, width_, output_stride_, directions_, strip_, padded_length_, blocks_,
      padded_width_;
  T *keys_, *values_, *queries_, *contexts_, *sums_;  // primal, then every direction
  T *maxima_, *weights_, *weighted_;
  bool safe_ = false;
};

void attend_float(const HeadAttention<float>& head, AlignedBuffer& scratch) {
  Kernel<float>(head, scratch).run();
}

void attend_double(const HeadAttention<double>& head, AlignedBuffer& scratch) {
  Kernel<double>(head, scratch).run();
}

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace regulus::backbone {

HWY_EXPORT(attend_float);
HWY_EXPORT(attend_double);

void attend_head(const HeadAttention<float>& head, AlignedBuffer& scratch) {
  HWY_DYNAMIC_DISPATCH(attend_float)(head, scratch);
}

void attend_head(const HeadAttention<double>& head, AlignedBuffer& scratch) {
  HWY_DYNAMIC_DISPATCH(attend_double)(head, scratch);
}

std::vector<std::int64_t> attention_targets() {
  return hwy::SupportedAndGeneratedTargets();
}

}  // namespace regulus::backbone
#endif  // HWY_ONCE

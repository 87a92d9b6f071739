// Loops over the columns of a row: whole vectors, then single elements. Included once for each instruction
// set by Highway's foreach_target.h, hence no #pragma once; private to the module.
#if defined(REGULUS_COLUMNS) == defined(HWY_TARGET_TOGGLE)
#ifdef REGULUS_COLUMNS
#undef REGULUS_COLUMNS
#else
#define REGULUS_COLUMNS
#endif

#include <hwy/highway.h>

#include <cstddef>

HWY_BEFORE_NAMESPACE();
namespace regulus::backbone {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls visit(tag, first column of its vector).
template <typename T, typename Visit>
HWY_INLINE void for_columns(std::size_t width, Visit visit) {
  const hn::ScalableTag<T> vectors;
  const hn::CappedTag<T, 1> single;
  std::size_t c = 0;
  for (; c + hn::Lanes(vectors) <= width; c += hn::Lanes(vectors)) visit(vectors, c);
  for (; c < width; ++c) visit(single, c);
}

/// Sum of the vectors that visit(tag, first column) returns.
template <typename T, typename Visit>
HWY_INLINE T sum_columns(std::size_t width, Visit visit) {
  const hn::ScalableTag<T> vectors;
  const hn::CappedTag<T, 1> single;
  auto sums = hn::Zero(vectors);
  std::size_t c = 0;
  for (; c + hn::Lanes(vectors) <= width; c += hn::Lanes(vectors)) sums = hn::Add(sums, visit(vectors, c));
  T sum = hn::GetLane(hn::SumOfLanes(vectors, sums));
  for (; c < width; ++c) sum += hn::GetLane(visit(single, c));
  return sum;
}

template <typename T>
HWY_INLINE T dot(const T* a, const T* b, std::size_t width) {
  return sum_columns<T>(width, [=](auto d, std::size_t c)
                                   HWY_ATTR { return hn::Mul(hn::LoadU(d, a + c), hn::LoadU(d, b + c)); });
}

/// sum += factor * row
template <typename T>
HWY_INLINE void add_product(T factor, const T* row, T* sum, std::size_t width) {
  for_columns<T>(width, [=](auto d, std::size_t c) HWY_ATTR {
    hn::StoreU(hn::MulAdd(hn::Set(d, factor), hn::LoadU(d, row + c), hn::LoadU(d, sum + c)), d, sum + c);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace regulus::backbone
HWY_AFTER_NAMESPACE();

#endif  // once for each instruction set

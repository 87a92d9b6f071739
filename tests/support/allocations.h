#pragma once

#include <cstddef>

namespace regulus::test {

#ifdef __SANITIZE_ADDRESS__
constexpr bool kCountsAllocations = false;
#else
constexpr bool kCountsAllocations = true;
#endif

/// Bytes that are being asked for in blocks for vectors: LibTorch's tensors and our own buffers. Counted
/// while counting is on, in all threads.
void start_counting_allocations();
std::size_t stop_counting_allocations();

template <typename Function>
std::size_t allocated_bytes(Function function) {
  start_counting_allocations();
  function();
  return stop_counting_allocations();
}

}  // namespace regulus::test

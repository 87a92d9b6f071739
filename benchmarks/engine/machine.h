#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "workload.h"

namespace regulus::benchmark {

/// What a measurement counts. Processor time is that of all threads: for one thread on a machine that is busy
/// with others.
enum class Clock { Wall, Processor };

/// Seconds from an arbitrary start.
double now_s(Clock clock);

/// The machine's rate of float32 matrix products: the largest over square and panel-shaped ones, best of all
/// measurements. Measured again between the passes of an engine, so that both meet the same neighbours.
class ProductRate {
 public:
  /// \param shape whose projections are among the products; these grow with the panel, so that small panels
  /// do not cost time for large ones
  ProductRate(const Shape& shape, Clock clock);

  /// One more measurement of each product.
  void measure();
  double gflops() const { return gflops_; }

 private:
  struct Product {
    at::Tensor a, b, result;
  };
  std::vector<Product> products_;
  Clock clock_;
  double gflops_ = 0.0;
};

/// Largest resident memory of this process so far.
std::int64_t peak_memory_bytes();

}  // namespace regulus::benchmark

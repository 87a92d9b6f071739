#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace regulus {

/// A counter-based random stream (Philox4x32-10, Salmon et al. 2011): its numbers depend on (seed, stream)
/// alone, never on the rank, the thread or what was drawn elsewhere. Give every independent draw (a cell of a
/// step, a gene, a bootstrap replicate) its own stream.
class RandomStream {
 public:
  /// \param seed    the job's --seed
  /// \param purpose what is drawn, so that two uses never share numbers, e.g. "pretrain.panel"
  /// \param index   which one of them (step, cell, replicate …)
  RandomStream(std::uint64_t seed, const char* purpose, std::uint64_t index = 0);

  std::uint32_t next_u32();
  double uniform();                      ///< in [0, 1), 53 bits
  double normal();                       ///< standard normal (Box-Muller)
  std::uint64_t below(std::uint64_t n);  ///< unbiased integer in [0, n); n > 0
  std::uint64_t poisson(double mean);    ///< mean >= 0
  double gamma(double shape);            ///< unit scale; shape > 0

  /// `count` distinct integers of [0, n) in random order; count <= n.
  std::vector<std::int64_t> sample(std::int64_t n, std::int64_t count);
  /// A random permutation of 0 … n-1.
  std::vector<std::int64_t> permutation(std::int64_t n) { return sample(n, n); }

 private:
  void refill();

  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0.0;
};

}  // namespace regulus

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace regulus::pretrain {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-8;
  double weight_decay = 0.01;
};

/// AdamW (Loshchilov and Hutter 2019) on one flat float32 buffer. Plain loops in a fixed order, so that every
/// rank that makes the same step holds the same bytes afterwards.
class AdamW {
 public:
  /// \param decays per parameter: 1 if weight decay applies to it (weights of matrices), else 0
  AdamW(const AdamWOptions& options, std::vector<std::uint8_t> decays);

  /// values -= rate * (m_hat / (sqrt(v_hat) + epsilon) + weight_decay * values, where it decays).
  /// \param gradient of the loss, one number per parameter
  void step(std::span<float> values, std::span<const double> gradient, double rate);

  std::int64_t steps() const { return steps_; }
  const std::vector<float>& first_moment() const { return first_; }
  const std::vector<float>& second_moment() const { return second_; }
  /// Continues from saved moments. \throws Error (Internal) if their sizes do not fit
  void restore(std::int64_t steps, std::vector<float> first, std::vector<float> second);

 private:
  AdamWOptions options_;
  std::vector<std::uint8_t> decays_;
  std::vector<float> first_;
  std::vector<float> second_;
  std::int64_t steps_ = 0;
};

/// Scales a gradient down to a Euclidean norm of at most `limit` (no limit if it is 0). \return its norm
/// before
double clip_norm(std::span<double> gradient, double limit);

}  // namespace regulus::pretrain

#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace regulus::translator {

/// Counts of logits in fixed bins, to be summed over tiles and ranks in any order: kBins bins of equal width
/// over [-kRange, kRange), the first and the last open towards the outside.
class LogitHistogram {
 public:
  static constexpr int kBins = 1024;
  static constexpr float kRange = 16.0F;

  /// \param logit not NaN
  static int bin_of(float logit);
  /// The smallest logit of a bin; of the first bin, which is open, its upper edge less one width.
  static float lower_edge(int bin);

  void add(std::span<const float> logits);
  std::vector<std::int64_t>& counts() { return counts_; }  ///< [kBins]
  const std::vector<std::int64_t>& counts() const { return counts_; }

 private:
  std::vector<std::int64_t> counts_ = std::vector<std::int64_t>(kBins, 0);
};

/// The empirical false-discovery rate of calling every pair from a bin upwards. With the threshold t at the
/// bin's lower edge, FDR(t) = min(1, (null logits >= t) / nulls / max(1, observed logits >= t)); the q-value
/// of the bin is the least FDR of it and all bins below. \param observed, null counts per bin, equally many
/// bins; of the same pairs, the null's summed over `nulls` translators \return q-value per bin, never rising
/// with the logit \throws ModelError if there is no null translator \see docs/method.md for what it says and
/// does not say
std::vector<float> false_discovery_by_bin(std::span<const std::int64_t> observed,
                                          std::span<const std::int64_t> null, std::int64_t nulls);

}  // namespace regulus::translator

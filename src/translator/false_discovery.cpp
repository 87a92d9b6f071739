#include "regulus/translator/false_discovery.h"

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"

namespace regulus::translator {

namespace {
constexpr float kBinsPerUnit = static_cast<float>(LogitHistogram::kBins) / (2.0F * LogitHistogram::kRange);
}  // namespace

int LogitHistogram::bin_of(float logit) {
  // Exact: the bins per unit are a power of two.
  const float place = std::floor(std::clamp(logit, -kRange, kRange) * kBinsPerUnit);
  return std::min(static_cast<int>(place) + kBins / 2, kBins - 1);
}

float LogitHistogram::lower_edge(int bin) {
  return static_cast<float>(bin - kBins / 2) / kBinsPerUnit;
}

void LogitHistogram::add(std::span<const float> logits) {
  for (const float logit : logits) ++counts_[static_cast<std::size_t>(bin_of(logit))];
}

std::vector<float> false_discovery_by_bin(std::span<const std::int64_t> observed,
                                          std::span<const std::int64_t> null, std::int64_t nulls) {
  if (nulls < 1)
    throw ModelError("there are no null translators to estimate false discoveries from", "translator",
                     "train it with --null N");
  std::vector<float> rate(observed.size());
  std::int64_t observed_above = 0;
  std::int64_t null_above = 0;
  for (std::size_t bin = observed.size(); bin-- > 0;) {
    observed_above += observed[bin];
    null_above += null[bin];
    const double expected = static_cast<double>(null_above) / static_cast<double>(nulls);
    const double called = static_cast<double>(std::max<std::int64_t>(1, observed_above));
    rate[bin] = static_cast<float>(std::min(1.0, expected / called));
  }
  for (std::size_t bin = 1; bin < rate.size(); ++bin) rate[bin] = std::min(rate[bin], rate[bin - 1]);
  return rate;
}

}  // namespace regulus::translator

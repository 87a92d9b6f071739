#include "regulus/evaluate/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::evaluate {

namespace {

constexpr std::size_t kScores = 4;  // of Scores, in its order

/// Unbiased integer in [0, n) from one 32-bit number (Lemire 2019): two thirds of the time of a replicate are
/// draws.
std::uint32_t draw_below(RandomStream& random, std::uint32_t n) {
  std::uint64_t product = std::uint64_t{random.next_u32()} * n;
  if (static_cast<std::uint32_t>(product) < n) {
    const std::uint32_t threshold = (0U - n) % n;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{random.next_u32()} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

/// How often a replicate drew each pair.
class Resampler {
 public:
  explicit Resampler(std::span<const std::uint8_t> label) : label_(label), weight_(label.size(), 0) {
    for (const std::uint8_t one : label) drawn_[one != 0 ? 1 : 0].push_back(0);
  }

  /// A weight fits a byte: a class of up to 255 pairs has no more draws, and in a larger one 256 draws of the
  /// same pair have a probability below 1 / 256!.
  std::span<const std::uint8_t> weights(std::uint64_t seed, std::int64_t replicate) {
    RandomStream random(seed, "evaluate.bootstrap", static_cast<std::uint64_t>(replicate));
    for (auto& drawn : drawn_) {
      std::fill(drawn.begin(), drawn.end(), std::uint8_t{0});
      const auto count = static_cast<std::uint32_t>(drawn.size());
      for (std::uint32_t draw = 0; draw < count; ++draw) ++drawn[draw_below(random, count)];
    }
    std::size_t next[2] = {0, 0};
    for (std::size_t pair = 0; pair < label_.size(); ++pair) {
      const int which = label_[pair] != 0 ? 1 : 0;
      weight_[pair] = drawn_[which][next[which]++];
    }
    return weight_;
  }

 private:
  std::span<const std::uint8_t> label_;
  std::vector<std::uint8_t> drawn_[2];  ///< draws of the negatives and of the positives, each in pair order
  std::vector<std::uint8_t> weight_;
};

void check(const BootstrapOptions& options) {
  if (options.replicates < 0)
    throw OptionError("the number of bootstrap replicates is negative", "--bootstrap");
  if (!(options.level > 0.0 && options.level < 1.0))
    throw OptionError("the level of the bootstrap intervals is not between 0 and 1");
}

/// [replicates x methods x kScores] of this rank's share of the replicates.
std::vector<double> own_replicates(const comm::Communicator& comm, std::span<const Ranking> methods,
                                   std::span<const std::uint8_t> label, const BootstrapOptions& options,
                                   Progress* progress) {
  const std::int64_t begin = options.replicates * comm.rank() / comm.size();
  const std::int64_t end = options.replicates * (comm.rank() + 1) / comm.size();
  Resampler resampler(label);
  std::vector<double> results;
  for (std::int64_t replicate = begin; replicate < end; ++replicate) {
    const auto weights = resampler.weights(options.seed, replicate);
    for (const Ranking& method : methods) {
      const Scores scores = method.scores(weights);
      results.insert(results.end(), {scores.auprc, scores.auprc_ratio, scores.auroc, scores.epr});
    }
    if (progress != nullptr) progress->advance(1);
  }
  return results;
}

Interval interval_of(std::vector<double> values, double level) {
  if (values.empty())
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  return {quantile(values, (1.0 - level) / 2.0), quantile(values, (1.0 + level) / 2.0)};
}

}  // namespace

std::vector<ScoreIntervals> bootstrap(const comm::Communicator& comm, std::span<const Ranking> methods,
                                      std::span<const std::uint8_t> label, const BootstrapOptions& options,
                                      Progress* progress) {
  check(options);
  const std::vector<double> all = comm.all_gather(own_replicates(comm, methods, label, options, progress));
  const auto interval = [&](std::size_t method, std::size_t score) {
    std::vector<double> values;
    const std::size_t stride = methods.size() * kScores;
    for (std::size_t at = method * kScores + score; at < all.size(); at += stride) values.push_back(all[at]);
    return interval_of(std::move(values), options.level);
  };
  std::vector<ScoreIntervals> intervals;
  for (std::size_t m = 0; m < methods.size(); ++m)
    intervals.push_back({interval(m, 0), interval(m, 1), interval(m, 2), interval(m, 3)});
  return intervals;
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const double position = q * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(position));
  if (below + 1 >= values.size()) return values.back();
  return values[below] + (position - std::floor(position)) * (values[below + 1] - values[below]);
}

}  // namespace regulus::evaluate

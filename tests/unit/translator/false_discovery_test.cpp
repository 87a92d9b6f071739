#include "regulus/translator/false_discovery.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "regulus/translator/train.h"
#include "support/expect_error.h"
#include "support/xor_pairs.h"

namespace regulus::translator {
namespace {

TEST(LogitHistogram, EveryBinStartsAtItsLowerEdge) {
  for (int bin = 0; bin < LogitHistogram::kBins; ++bin) {
    const float edge = LogitHistogram::lower_edge(bin);
    EXPECT_EQ(LogitHistogram::bin_of(edge), bin);
    EXPECT_EQ(LogitHistogram::bin_of(std::nextafter(edge, -HUGE_VALF)), std::max(bin - 1, 0));
  }
}

TEST(LogitHistogram, TheOutermostBinsAreOpen) {
  EXPECT_EQ(LogitHistogram::bin_of(-HUGE_VALF), 0);
  EXPECT_EQ(LogitHistogram::bin_of(-1e30F), 0);
  EXPECT_EQ(LogitHistogram::bin_of(HUGE_VALF), LogitHistogram::kBins - 1);
  EXPECT_EQ(LogitHistogram::lower_edge(0), -LogitHistogram::kRange);
}

TEST(LogitHistogram, CountsEveryLogitOnce) {
  LogitHistogram histogram;
  histogram.add(std::vector<float>{-100.0F, 0.0F, 0.001F, 3.0F});
  histogram.add(std::vector<float>{3.0F});
  const std::vector<std::int64_t>& counts = histogram.counts();
  EXPECT_EQ(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}), 5);
  EXPECT_EQ(counts[0], 1);
  EXPECT_EQ(counts[static_cast<std::size_t>(LogitHistogram::bin_of(0.0F))], 2);
  EXPECT_EQ(counts[static_cast<std::size_t>(LogitHistogram::bin_of(3.0F))], 2);
}

/// From the top: 2 called of which 0.5 expected, 5 of 1, 6 of 4, 10 of 10; then the running minimum upwards.
TEST(FalseDiscovery, ClosedForm) {
  const std::vector<std::int64_t> observed{4, 1, 3, 2};
  const std::vector<std::int64_t> null{12, 6, 1, 1};
  EXPECT_EQ(false_discovery_by_bin(observed, null, 2), (std::vector<float>{1.0F, 4.0F / 6.0F, 0.2F, 0.2F}));
}

TEST(FalseDiscovery, IsAtMostOneAndDefinedWhereNothingIsCalled) {
  const std::vector<std::int64_t> observed{1, 0};
  const std::vector<std::int64_t> null{3, 5};
  EXPECT_EQ(false_discovery_by_bin(observed, null, 1), (std::vector<float>{1.0F, 1.0F}));
}

TEST(FalseDiscovery, NeedsANull) {
  const std::vector<std::int64_t> counts(3, 1);
  test::expect_mentions(test::error_of(ErrorKind::Model, [&] { false_discovery_by_bin(counts, counts, 0); }),
                        "--null");
}

/// Logits of pairs that were not trained on, of a translator and of its nulls.
struct Histograms {
  LogitHistogram observed, null;
};

constexpr std::int64_t kNulls = 5;

void add_logits(const PairTable& table, std::uint64_t seed, Histograms& histograms) {
  TrainOptions options;
  options.hidden = {16};
  options.epochs = 8;
  options.learning_rate = 2e-2;
  options.validation_fraction = 0.0;
  options.nulls = kNulls;
  options.seed = seed;
  const PairTable unseen = test::xor_pairs(10, 50, 77);
  const Prediction prediction = train(comm::Communicator::self(),
                                      {.sources = table.sources,
                                       .targets = table.targets,
                                       .source = table.source,
                                       .target = table.target,
                                       .label = table.label,
                                       .features = {table.features[0]}},
                                      options, false)
                                    .predict({unseen.features[0]}, {.null = true});
  histograms.observed.add(prediction.logit);
  histograms.null.add(prediction.null);
}

/// The q-value of calling this share of the observed pairs.
float q_of_top(const Histograms& histograms, double share) {
  const std::vector<std::int64_t>& counts = histograms.observed.counts();
  const std::vector<float> q = false_discovery_by_bin(counts, histograms.null.counts(), kNulls);
  EXPECT_TRUE(std::is_sorted(q.rbegin(), q.rend()));
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  std::size_t bin = counts.size();
  for (std::int64_t called = 0; static_cast<double>(called) < share * total;) called += counts[--bin];
  return q[bin];
}

TEST(FalseDiscovery, IsSmallWhereThereIsSomethingToLearn) {
  Histograms histograms;
  add_logits(test::xor_pairs(8, 40, 5), 3, histograms);
  EXPECT_LT(q_of_top(histograms, 0.002), 0.02F);
  EXPECT_LT(q_of_top(histograms, 0.2), 0.1F);
}

/// Labels that are coin flips: a translator learns as little as its nulls. One translator may still be more
/// certain than all of them, as any of them may; over several the logits are spread alike.
TEST(FalseDiscovery, IsLargeWhereThereIsNothingToLearn) {
  Histograms histograms;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    PairTable noise = test::xor_pairs(8, 20, seed);
    RandomStream coin(seed, "test.coin");
    for (std::uint8_t& label : noise.label) label = coin.uniform() < 0.5 ? 1 : 0;
    add_logits(noise, seed, histograms);
  }
  for (const double share : {0.0003, 0.01, 0.1, 0.5}) EXPECT_GT(q_of_top(histograms, share), 0.7F) << share;
}

}  // namespace
}  // namespace regulus::translator

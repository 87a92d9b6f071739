#include "regulus/data/split.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::data {

namespace {

/// How many of n names go to test: the rounded share, but one at least on each side where that is possible.
std::int64_t test_count(std::int64_t n, double fraction) {
  const auto share = static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(n)));
  return n < 2 ? 0 : std::clamp<std::int64_t>(share, 1, n - 1);
}

void split_group(const std::set<std::string>& names, double fraction, RandomStream random, GeneSplit& split) {
  const std::vector<std::string> sorted(names.begin(), names.end());
  const auto n = static_cast<std::int64_t>(sorted.size());
  const std::int64_t in_test = test_count(n, fraction);
  const std::vector<std::int64_t> order = random.permutation(n);
  for (std::int64_t i = 0; i < n; ++i) {
    auto& side = i < in_test ? split.test : split.train;
    side.push_back(sorted[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
}

}  // namespace

GeneSplit split_genes(const std::vector<std::string>& sources, const std::vector<std::string>& genes,
                      double test_fraction, std::uint64_t seed) {
  if (!(test_fraction > 0.0 && test_fraction < 1.0))
    throw OptionError("the test fraction " + std::to_string(test_fraction) + " is not between 0 and 1");
  const std::set<std::string> factors(sources.begin(), sources.end());
  if (factors.size() < 2)
    throw InputError("a split by genes needs at least two transcription factors", {},
                     "check that the factors and the genes use the same symbols");
  std::set<std::string> others;
  std::copy_if(genes.begin(), genes.end(), std::inserter(others, others.end()),
               [&](const std::string& gene) { return !factors.contains(gene); });
  GeneSplit split;
  split_group(factors, test_fraction, RandomStream(seed, "data.split.sources"), split);
  split_group(others, test_fraction, RandomStream(seed, "data.split.genes"), split);
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.test.begin(), split.test.end());
  return split;
}

}  // namespace regulus::data

#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace regulus::data {

/// Two disjoint sets of genes: no gene is on both sides, neither as transcription factor nor as target.
struct GeneSplit {
  std::vector<std::string> train;  ///< sorted
  std::vector<std::string> test;   ///< sorted
};

/// Splits the union of sources and genes at random. Sources (transcription factors) and the other genes are
/// split separately, so that both sides have their share of each, and at least one where there are two.
/// Depends on the sets of names and the seed only, not on the order or repetition of names. \param
/// test_fraction share of each group in test, inside (0, 1) \throws OptionError on another fraction;
/// InputError with fewer than two sources
GeneSplit split_genes(const std::vector<std::string>& sources, const std::vector<std::string>& genes,
                      double test_fraction, std::uint64_t seed);

}  // namespace regulus::data

#pragma once

#include <cstdint>
#include <vector>

#include "regulus/translator/pair_table.h"

namespace regulus::translator {

/// Pairs of a table by number, each in ascending order; every pair is in one of the two.
struct TrainingSplit {
  std::vector<std::int64_t> train, validation;
};

/// Chooses validation genes (a fraction of the sources and of the other genes) and puts every pair that
/// touches one of them into `validation`. All pairs are in `train` if the fraction is 0 or if one part would
/// lack positives or negatives.
TrainingSplit split_for_validation(const PairTable& table, double fraction, std::uint64_t seed);

}  // namespace regulus::translator

#pragma once

#include <string>

#include "regulus/core/random.h"
#include "regulus/translator/pair_table.h"

namespace regulus::test {

/// Every pair of `sources` x `targets` with two probes: "xor" has two features, uniform in [-1, 1], and the
/// label says whether they have the same sign; "copy" holds them again with a constant third column.
inline translator::PairTable xor_pairs(int sources, int targets, std::uint64_t seed) {
  translator::PairTable table;
  table.features = {{"xor", 2, {}}, {"copy", 3, {}}};
  for (int s = 0; s < sources; ++s) table.sources.push_back("TF" + std::to_string(s));
  for (int t = 0; t < targets; ++t) table.targets.push_back("GENE" + std::to_string(t));
  RandomStream stream(seed, "test.xor");
  for (int s = 0; s < sources; ++s)
    for (int t = 0; t < targets; ++t) {
      const auto x = static_cast<float>(2.0 * stream.uniform() - 1.0);
      const auto y = static_cast<float>(2.0 * stream.uniform() - 1.0);
      table.source.push_back(s);
      table.target.push_back(t);
      table.label.push_back(x * y > 0.0F ? 1 : 0);
      table.features[0].values.insert(table.features[0].values.end(), {x, y});
      table.features[1].values.insert(table.features[1].values.end(), {x, y, 7.0F});
    }
  return table;
}

}  // namespace regulus::test

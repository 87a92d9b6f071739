#pragma once

#include <string>
#include <vector>

#include "regulus/core/random.h"
#include "regulus/data/expression.h"

namespace regulus::test {

/// Cells in which half of the genes are high and the other half are zero, or the other way round, at a level
/// that varies from cell to cell: any visible gene tells all the others, and the gene means tell nothing.
inline data::Expression two_programs(std::int64_t cells, std::int64_t genes, std::uint64_t seed,
                                     const std::string& prefix = "G") {
  std::vector<std::string> gene_names;
  std::vector<std::string> cell_names;
  for (std::int64_t g = 0; g < genes; ++g) gene_names.push_back(prefix + std::to_string(g));
  std::vector<float> values;
  for (std::int64_t c = 0; c < cells; ++c) {
    RandomStream random(seed, "test.cell", static_cast<std::uint64_t>(c));
    cell_names.push_back("c" + std::to_string(c));
    const std::uint64_t program = random.below(2);
    const double level = 1.0 + 2.0 * random.uniform();
    for (std::int64_t g = 0; g < genes; ++g)
      values.push_back(static_cast<std::uint64_t>(g) % 2 == program ? static_cast<float>(level) : 0.0F);
  }
  return data::from_dense(cell_names, gene_names, values);
}

}  // namespace regulus::test

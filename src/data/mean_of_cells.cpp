#include <algorithm>

#include "regulus/data/cell_reader.h"

namespace regulus::data {

namespace {

constexpr std::int64_t kBlock_values = std::int64_t{1} << 22U;

/// \param cell_at the number of the n-th cell
template <typename CellAt>
std::vector<double> mean_of(const CellReader& reader, std::int64_t count, CellAt cell_at,
                            const CellTransform& transform) {
  const auto genes = static_cast<std::size_t>(reader.gene_count());
  const std::int64_t at_once = std::max<std::int64_t>(1, kBlock_values / reader.gene_count());
  std::vector<double> sums(genes, 0.0);
  std::vector<std::int64_t> cells;
  for (std::int64_t begin = 0; begin < count; begin += at_once) {
    cells.resize(static_cast<std::size_t>(std::min(at_once, count - begin)));
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = cell_at(begin + static_cast<std::int64_t>(i));
    std::vector<float> values = reader.read_rows(cells);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto row = std::span(values).subspan(i * genes, genes);
      if (transform) transform(cells[i], row);
      for (std::size_t gene = 0; gene < genes; ++gene) sums[gene] += static_cast<double>(row[gene]);
    }
  }
  for (double& sum : sums) sum /= std::max(1.0, static_cast<double>(count));
  return sums;
}

}  // namespace

std::vector<double> mean_of_cells(const CellReader& reader, std::span<const std::int64_t> cells,
                                  const CellTransform& transform) {
  const auto cell_at = [&](std::int64_t n) { return cells[static_cast<std::size_t>(n)]; };
  return mean_of(reader, static_cast<std::int64_t>(cells.size()), cell_at, transform);
}

std::vector<double> mean_of_cells(const CellReader& reader, const CellTransform& transform) {
  return mean_of(
      reader, reader.cell_count(), [](std::int64_t n) { return n; }, transform);
}

}  // namespace regulus::data

#include <algorithm>

#include "regulus/comm/agree.h"
#include "regulus/comm/exact_sum.h"
#include "regulus/data/cell_reader.h"

namespace regulus::data {

namespace {

constexpr std::int64_t kBlock_values = std::int64_t{1} << 22U;

/// The finest resolution at which a sum of so many values up to 2^16 stays in range.
comm::ExactSum sums_of(std::int64_t genes, std::int64_t cells) {
  constexpr int kValueBits = 16;
  int bits = 62 - kValueBits;
  while (bits > 0 && (std::int64_t{1} << (62 - kValueBits - bits)) < cells) --bits;
  return comm::ExactSum(static_cast<std::size_t>(genes), bits, std::max<std::int64_t>(cells, 1));
}

void add_block(const CellReader& reader, std::span<const std::int64_t> cells, const CellTransform& transform,
               comm::ExactSum& sums) {
  const auto genes = static_cast<std::size_t>(reader.gene_count());
  std::vector<float> values = reader.read_rows(cells);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto row = std::span(values).subspan(i * genes, genes);
    if (transform) transform(cells[i], row);
    sums.add(std::span<const float>(row));
  }
}

}  // namespace

std::vector<double> mean_of_cells(const comm::Communicator& comm, const CellReader& reader,
                                  std::span<const std::int64_t> cells, const CellTransform& transform) {
  const auto count = static_cast<std::int64_t>(cells.size());
  const std::int64_t step = std::max<std::int64_t>(1, kBlock_values / reader.gene_count());
  comm::ExactSum sums = sums_of(reader.gene_count(), count);
  comm::agree(comm, "averaging cells", [&] {
    for (std::int64_t begin = comm.rank() * step; begin < count; begin += comm.size() * step)
      add_block(reader,
                cells.subspan(static_cast<std::size_t>(begin),
                              static_cast<std::size_t>(std::min(step, count - begin))),
                transform, sums);
  });
  std::vector<double> means = sums.reduce(comm);
  for (double& mean : means) mean /= std::max(1.0, static_cast<double>(count));
  return means;
}

}  // namespace regulus::data

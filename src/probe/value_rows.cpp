#include "regulus/probe/value_rows.h"

#include <span>

#include "regulus/data/binning.h"

namespace regulus::probe {

std::int64_t FixedRows::count() const {
  return genes_ == 0 ? 0 : static_cast<std::int64_t>(values_.size()) / genes_;
}

std::vector<float> FixedRows::read(std::int64_t begin, std::int64_t end) const {
  return {values_.begin() + begin * genes_, values_.begin() + end * genes_};
}

std::shared_ptr<const ValueRows> kept_in_memory(std::shared_ptr<const ValueRows> rows, std::int64_t genes,
                                                std::size_t most_bytes) {
  const std::size_t bytes = static_cast<std::size_t>(rows->count() * genes) * sizeof(float);
  if (bytes == 0 || bytes > most_bytes) return rows;
  return std::make_shared<FixedRows>(genes, rows->read(0, rows->count()));
}

data::CellTransform transform_of(const CellInput& input) {
  if (input.bins == 0) return {};
  return [input](std::int64_t cell, std::span<float> values) {
    data::bin_cell(values, static_cast<int>(input.bins), input.seed, cell);
  };
}

CellRows::CellRows(std::shared_ptr<const data::CellReader> reader, std::vector<std::int64_t> cells,
                   std::vector<std::int64_t> columns, CellInput input)
    : reader_(std::move(reader)), cells_(std::move(cells)), columns_(std::move(columns)), input_(input) {}

std::vector<float> CellRows::read(std::int64_t begin, std::int64_t end) const {
  const data::CellTransform transform = transform_of(input_);
  const auto genes = static_cast<std::size_t>(reader_->gene_count());
  const std::span<const std::int64_t> cells(cells_.data() + begin, cells_.data() + end);
  std::vector<float> all = reader_->read_rows(cells);
  std::vector<float> rows;
  rows.reserve(cells.size() * columns_.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::span<float> cell(all.data() + i * genes, genes);
    if (transform) transform(cells[i], cell);
    for (const std::int64_t column : columns_) rows.push_back(cell[static_cast<std::size_t>(column)]);
  }
  return rows;
}

}  // namespace regulus::probe

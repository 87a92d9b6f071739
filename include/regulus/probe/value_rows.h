#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "regulus/data/cell_reader.h"

namespace regulus::probe {

/// Rows of input values over the G genes of a job: backgrounds or cells, fetched as they are needed.
class ValueRows {
 public:
  ValueRows() = default;
  ValueRows(const ValueRows&) = delete;
  ValueRows& operator=(const ValueRows&) = delete;
  virtual ~ValueRows() = default;

  virtual std::int64_t count() const = 0;
  /// Rows [begin, end). \return [end − begin, G] \throws InputError if a file is damaged \collective no
  virtual std::vector<float> read(std::int64_t begin, std::int64_t end) const = 0;
};

/// Rows in memory.
class FixedRows final : public ValueRows {
 public:
  FixedRows() = default;
  /// \param values [rows, genes]
  FixedRows(std::int64_t genes, std::vector<float> values) : genes_(genes), values_(std::move(values)) {}

  std::int64_t count() const override;
  std::vector<float> read(std::int64_t begin, std::int64_t end) const override;

 private:
  std::int64_t genes_ = 0;
  std::vector<float> values_;
};

/// Rows that are read over and over: in memory if they take no more than `most_bytes`, else as they are.
/// \throws InputError if a file is damaged \collective no
std::shared_ptr<const ValueRows> kept_in_memory(std::shared_ptr<const ValueRows> rows, std::int64_t genes,
                                                std::size_t most_bytes);

/// How the values of a cell become a model's input.
struct CellInput {
  /// Quantile bins over all genes of the cell, as scGPT makes them; 0: values as they are.
  std::int64_t bins = 0;
  std::uint64_t seed = 0;  ///< decides where a value lies on several equal edges of bins
};

/// The change of one cell; none without bins.
data::CellTransform transform_of(const CellInput& input);

/// Cells of an expression file, read when they are asked for, so that memory does not grow with their number.
class CellRows final : public ValueRows {
 public:
  /// \param cells numbers of cells in the file \param columns [G] the job's genes in the file
  CellRows(std::shared_ptr<const data::CellReader> reader, std::vector<std::int64_t> cells,
           std::vector<std::int64_t> columns, CellInput input);

  std::int64_t count() const override { return static_cast<std::int64_t>(cells_.size()); }
  std::vector<float> read(std::int64_t begin, std::int64_t end) const override;

 private:
  std::shared_ptr<const data::CellReader> reader_;
  std::vector<std::int64_t> cells_, columns_;
  CellInput input_;
};

}  // namespace regulus::probe

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"

namespace regulus::data {

/// An .h5ad file opened to read cells as they are needed: its memory does not grow with the number of cells.
/// X may be dense or csr_matrix. A csc_matrix has no rows to go to, so up to kMaxConverted_values stored
/// values it is converted once and kept in memory (8 bytes a value, twice that while converting), and refused
/// above. Every rank opens the file for itself. \collective no
class CellReader {
 public:
  static constexpr std::int64_t kMaxConverted_values = std::int64_t{1} << 28U;

  /// Checks what read_expression() checks, except that the offsets, indices and values of X are checked as
  /// they are read. The scale of values that regulus did not record is detected from some 2,000 cells spread
  /// over the file.
  /// \throws InputError as read_expression(); if X is a csc_matrix that is too large
  explicit CellReader(const std::filesystem::path& file);
  CellReader(CellReader&&) noexcept;
  CellReader& operator=(CellReader&&) noexcept;
  ~CellReader();

  const std::filesystem::path& file() const;
  const std::vector<std::string>& genes() const;
  std::int64_t gene_count() const;
  std::int64_t cell_count() const;

  /// Cells with their zeros, [cells x genes] row by row, in the order given. Runs of consecutive cells are
  /// read at once.
  /// \throws InputError on damage, and on values that are negative or not finite, naming the cell and gene;
  ///         Error (Internal) on a cell that does not exist
  std::vector<float> read_rows(std::span<const std::int64_t> cells) const;

  /// The cells whose entry in a column of obs is this text, increasing. Booleans are True and False, a
  /// missing value is "".
  /// \throws InputError naming the columns there are if this one is missing, or values that it has (ten at
  ///         most) if no cell has this one
  std::vector<std::int64_t> cells_where(const std::string& column, const std::string& value) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What is done to a cell, [genes], before it counts; given its number in the file.
using CellTransform = std::function<void(std::int64_t cell, std::span<float> values)>;

/// Mean of every gene over some cells, [genes], the same on every rank; zeros count. All 0 without cells. The
/// ranks share the reading; the sums are exact, so the bits depend on the values alone.
/// \param cells the same on every rank \param transform may be empty
/// \throws InputError as CellReader::read_rows(), the same on every rank; ModelError on values above 2^16
/// \collective yes
std::vector<double> mean_of_cells(const comm::Communicator& comm, const CellReader& reader,
                                  std::span<const std::int64_t> cells, const CellTransform& transform = {});

}  // namespace regulus::data

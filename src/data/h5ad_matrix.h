// The matrix X of an AnnData file; private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::data::detail {

/// Compressed rows as Expression has them: zeros left out, columns increasing within a row.
struct SparseRows {
  std::vector<std::int64_t> begin = {0};  ///< [rows + 1]
  std::vector<std::int32_t> column;
  std::vector<float> value;
};

enum class MatrixLayout { Dense, ByCell, ByGene };

/// Reads rows of X. Its parts are checked against each other when it is made, the values as they are read.
class MatrixReader {
 public:
  /// \param file  must outlive the reader, as must the names of the genes
  /// \param cells how many names obs has
  /// \throws InputError as read_h5ad()
  MatrixReader(const storage::H5File& file, const std::vector<std::string>& genes, std::int64_t cells);

  MatrixLayout layout() const { return layout_; }
  std::int64_t stored_values() const { return stored_; }  ///< of a sparse matrix; 0 if dense

  /// Appends the rows begin to begin + count - 1. Not for the layout ByGene, which has no rows to go to.
  void append_rows(std::int64_t begin, std::int64_t count, SparseRows& rows) const;

  /// Every row, of any layout.
  SparseRows read_all() const;

 private:
  void check_sparse();
  void append_dense(std::int64_t begin, std::int64_t count, SparseRows& rows) const;
  std::int64_t append_sparse(std::int64_t begin, std::int64_t count, SparseRows& rows) const;
  std::vector<std::int64_t> read_offsets(std::int64_t begin, std::int64_t count) const;
  std::vector<std::int64_t> read_indices(std::int64_t begin, std::int64_t count) const;
  std::vector<std::int64_t> count_by_row() const;
  SparseRows read_by_gene() const;

  const storage::H5File& file_;
  const std::vector<std::string>& genes_;
  std::int64_t cells_;
  MatrixLayout layout_ = MatrixLayout::Dense;
  std::int64_t stored_ = 0;
};

}  // namespace regulus::data::detail

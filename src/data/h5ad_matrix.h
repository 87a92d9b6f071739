// The matrix of an AnnData or 10x file; private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"
#include "sparse_rows.h"

namespace regulus::data::detail {

enum class MatrixLayout { Dense, ByCell, ByGene };

/// Where the matrix is. The defaults are those of AnnData's X.
struct MatrixPlace {
  std::string path = "/X";
  /// Of 10x files: the data set with the names of the cells. The matrix is then one of genes x cells, by
  /// cells, with its shape in a data set.
  std::string barcodes{};
  /// New index of every stored gene, increasing, or -1 for those that are left out; empty keeps all.
  std::vector<std::int32_t> kept_genes{};
};

/// Reads rows of a matrix. Its parts are checked against each other when it is made, the values as they are
/// read.
class MatrixReader {
 public:
  /// \param file  must outlive the reader, as must the names of the genes
  /// \param cells how many names obs has
  /// \throws InputError as read_h5ad()
  MatrixReader(const storage::H5File& file, const std::vector<std::string>& genes, std::int64_t cells,
               MatrixPlace place = {});

  MatrixLayout layout() const { return layout_; }
  std::int64_t stored_values() const { return stored_; }  ///< of a sparse matrix; 0 if dense

  /// Appends the rows begin to begin + count - 1. Not for the layout ByGene, which has no rows to go to.
  void append_rows(std::int64_t begin, std::int64_t count, SparseRows& rows) const;

  /// Every row, of any layout.
  SparseRows read_all() const;

 private:
  std::string part(const char* name) const { return place_.path + "/" + name; }
  std::string where() const;
  MatrixLayout sparse_layout() const;
  std::vector<std::int64_t> stored_shape(bool sparse) const;
  void check_sparse();
  void check_value(std::int64_t cell, std::int64_t gene, float value) const;
  [[noreturn]] void refuse(std::int64_t cell, std::int64_t gene, float value) const;
  std::int64_t kept(std::int64_t gene) const;
  void append_dense(std::int64_t begin, std::int64_t count, SparseRows& rows) const;
  std::int64_t append_sparse(std::int64_t begin, std::int64_t count, SparseRows& rows) const;
  std::vector<std::int64_t> read_offsets(std::int64_t begin, std::int64_t count) const;
  std::vector<std::int64_t> read_indices(std::int64_t begin, std::int64_t count) const;
  std::vector<std::int64_t> row_lengths() const;
  SparseRows read_by_gene() const;

  const storage::H5File& file_;
  const std::vector<std::string>& genes_;
  std::int64_t cells_;
  MatrixPlace place_;
  MatrixLayout layout_ = MatrixLayout::Dense;
  std::int64_t stored_ = 0;
};

}  // namespace regulus::data::detail

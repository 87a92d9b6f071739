#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"

namespace regulus::data {

/// What expression values are.
enum class ValueScale {
  Counts,         ///< raw molecule or read counts, all integers
  LogNormalised,  ///< logarithm of normalised counts
  Other           ///< neither, or not known (TPM, RPKM, scaled values …)
};

/// The name in files and messages: "counts", "log-normalised", "other".
std::string to_string(ValueScale scale);

/// Gene expression of single cells: a sparse matrix cells x genes in compressed rows (CSR). Zeros are not
/// stored, values are finite and not negative, gene names are unique.
struct Expression {
  std::vector<std::string> genes;       ///< [G]
  std::vector<std::string> cells;       ///< [C]
  std::vector<std::int64_t> row_begin;  ///< [C + 1], offsets into column and value
  std::vector<std::int32_t> column;     ///< gene index, increasing within a row
  std::vector<float> value;

  std::int64_t cell_count() const { return static_cast<std::int64_t>(cells.size()); }
  std::int64_t gene_count() const { return static_cast<std::int64_t>(genes.size()); }

  /// One cell with its zeros, [G].
  std::vector<float> dense_row(std::int64_t cell) const;
  /// The whole matrix with its zeros, [C x G] row by row.
  std::vector<float> dense() const;
  /// Mean of every gene over the cells, [G]; zeros count. All 0 without cells.
  std::vector<double> gene_means() const;
};

/// The given genes, in the given order, of every cell.
/// \param gene_indices indices into expression.genes, distinct
/// \throws Error (Internal) on an index out of range or given twice
Expression select_genes(const Expression& expression, const std::vector<std::int64_t>& gene_indices);

/// Rows of a dense matrix as an Expression.
/// \param values [cells x genes], row by row; zeros are dropped
/// \throws Error (Internal) if values has another size
Expression from_dense(std::vector<std::string> cells, std::vector<std::string> genes,
                      const std::vector<float>& values);

/// Reads the expression that a model works on: an .h5ad file written by `regulus prepare` or `regulus
/// simulate`, or one from elsewhere whose values are recognisably log-normalised. See
/// docs/formats/expression.md. \throws InputError if it is unreadable or damaged, holds raw counts or values
/// of unknown scale that regulus did not
///         write on request, or is not an .h5ad file (CSV: run `regulus prepare` first)
/// \collective no
Expression read_expression(const std::filesystem::path& file);

/// Rank 0 reads, every rank gets the result; an error is the same on every rank. \collective yes
Expression read_expression(const comm::Communicator& comm, const std::filesystem::path& file);

}  // namespace regulus::data

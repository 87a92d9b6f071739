#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "regulus/data/expression.h"

namespace regulus::data {

/// Which matrix of an AnnData file. All have the cells of obs.
struct H5adMatrix {
  std::string layer{};  ///< layers/NAME with the genes of var; empty: not a layer
  bool raw = false;     ///< raw/X with the genes of raw/var
};

/// Reads a matrix (X unless another is asked for), obs names and var names of an AnnData file: dense, CSR or
/// CSC of any integer or floating type; layouts of anndata 0.7 and later (encoding-type attributes) and of
/// its forerunners (h5sparse_format; obs and var as records). See docs/formats/expression.md. \throws
/// InputError if the file is missing, truncated, damaged or no AnnData file; if its parts contradict each
/// other
///         (sizes, indptr, indices); if it has no such layer or no raw part, naming what there is; on values
///         that are negative or not finite, naming the cell and gene; on empty or repeated gene names
/// \collective no
Expression read_h5ad(const std::filesystem::path& file, const H5adMatrix& matrix = {});

/// What the values are, as regulus recorded it when it wrote the file (uns/regulus/scale); none in files from
/// elsewhere.
std::optional<ValueScale> read_h5ad_scale(const std::filesystem::path& file);

/// One column of obs as text, a value per cell: strings, categories, numbers, booleans; missing values are
/// "". \throws InputError if there is no such column or it is damaged
std::vector<std::string> read_obs_column(const std::filesystem::path& file, const std::string& column);

/// What is written beside the matrix.
struct H5adNotes {
  ValueScale scale = ValueScale::LogNormalised;
  std::string provenance_json = "{}";
  std::vector<std::string> dataset;  ///< of every cell, becomes obs["dataset"]; may be empty
};

/// Writes an AnnData file as anndata 0.8 does: X as CSR float32, obs, var, and in uns/regulus the scale and
/// provenance. The same content gives the same bytes. Appears under its name only when it is whole. \throws
/// StorageError if it cannot be written
void write_h5ad(const std::filesystem::path& file, const Expression& expression, const H5adNotes& notes);

}  // namespace regulus::data

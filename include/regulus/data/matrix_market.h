#pragma once

#include <filesystem>

#include "regulus/data/expression.h"

namespace regulus::data {

/// Whether a path is read as MatrixMarket: a folder, or a name that ends in .mtx or .mtx.gz.
bool is_matrix_market(const std::filesystem::path& path);

/// Reads a MatrixMarket folder as Cell Ranger writes it: matrix.mtx with features.tsv (or genes.tsv) and
/// barcodes.tsv, each also gzipped. Of a file PREFIXmatrix.mtx the other names have the same prefix. The
/// matrix is genes x cells; cells x genes is recognised where only that fits the names. Features are treated
/// as in read_tenx(). The matrix is read twice, so that memory holds the result and a block.
/// \see docs/formats/expression.md
/// \throws InputError, with the line where there is one, if a file is missing or damaged; on headers other
///         than coordinate, integer or real, general; on sizes that do not fit the names; on entries that are
///         out of range, repeated, negative, not finite, too many or too few
/// \collective no
Expression read_matrix_market(const std::filesystem::path& path);

}  // namespace regulus::data

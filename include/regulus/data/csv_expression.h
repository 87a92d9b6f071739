#pragma once

#include <filesystem>

#include "regulus/data/expression.h"
#include "regulus/data/orientation.h"

namespace regulus::data {

/// Reads a .csv, .tsv or .txt table, each also gzipped: a header with the names of the columns, then one row
/// each with its name first; the corner cell may be empty, named or absent. See docs/formats/expression.md.
/// \param orientation Auto: recognised from the names and logged
/// \throws InputError, with line and column, on ragged rows, values that are not finite numbers or negative,
/// empty or
///         repeated genes or cells, damaged gzip data, a table without rows, or an orientation that is not
///         recognisable
Expression read_csv_expression(const std::filesystem::path& file,
                               Orientation orientation = Orientation::Auto);

/// The same matrix with cells and genes exchanged.
Expression transpose(const Expression& expression);

}  // namespace regulus::data

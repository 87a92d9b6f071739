#pragma once

#include <filesystem>
#include <string>

#include "regulus/data/expression.h"

namespace regulus::data {

/// Reads a feature-barcode matrix of 10x Genomics in HDF5: of Cell Ranger 3 and later (/matrix with
/// /matrix/features), or before (one group per genome). Genes go by their symbols; features other than Gene
/// Expression are dropped and logged; repeated symbols get a number appended. Memory: the result and a block.
/// \see docs/formats/expression.md
/// \param genome which one, where the file has several; may be empty
/// \throws InputError if the file is missing, truncated, damaged or of another kind; if it has several
/// genomes
///         and none of them was chosen, naming them; on values that are negative or not finite
/// \collective no
Expression read_tenx(const std::filesystem::path& file, const std::string& genome = {});

}  // namespace regulus::data

// Columns of the data frames obs and var in an AnnData file; private to the module.
#pragma once

#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::data::detail {

/// The names of the rows of a data frame group ("/obs"). \throws Error of the file's kind
std::vector<std::string> read_index(const storage::H5File& file, const std::string& frame);

/// A column as text; missing values are "".
std::vector<std::string> read_column(const storage::H5File& file, const std::string& frame,
                                     const std::string& column);

}  // namespace regulus::data::detail

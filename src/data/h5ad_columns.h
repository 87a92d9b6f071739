// Columns of the data frames obs and var in an AnnData file; private to the module.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::data::detail {

/// A column of a data frame, read as text in pieces; missing values are "".
class Column {
 public:
  /// \param file must outlive the column
  /// \throws InputError naming the columns that exist if there is no such one, or on an unknown layout
  Column(const storage::H5File& file, const std::string& frame, const std::string& column);

  const std::string& path() const { return path_; }
  std::int64_t size() const { return size_; }
  bool holds_integers() const;  ///< or booleans, which h5py writes as 0 and 1
  std::vector<std::string> read(std::int64_t begin, std::int64_t count) const;

 private:
  std::vector<std::string> decoded(const std::vector<std::int64_t>& codes, std::int64_t begin) const;

  const storage::H5File& file_;
  std::string path_;
  std::string values_;                   ///< path of the values, or of the codes where there are categories
  std::string mask_;                     ///< path of the mask of missing values, or empty
  std::string category_path_;            ///< or empty
  std::vector<std::string> categories_;  ///< texts of the codes
  std::int64_t size_ = 0;
};

/// The names of the rows of a data frame group ("/obs"). \throws Error of the file's kind
std::vector<std::string> read_index(const storage::H5File& file, const std::string& frame);
/// How many there are, without reading them.
std::int64_t index_size(const storage::H5File& file, const std::string& frame);

/// The names of the genes, in var. \throws InputError if one is empty or appears twice
std::vector<std::string> read_genes(const storage::H5File& file, const std::string& frame = "/var");

/// A whole column as text.
std::vector<std::string> read_column(const storage::H5File& file, const std::string& frame,
                                     const std::string& column);

}  // namespace regulus::data::detail

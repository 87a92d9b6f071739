// Entries of a MatrixMarket file; private to the module.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "regulus/data/text_table.h"

namespace regulus::data::detail {

/// One entry with indices from 0.
struct CoordinateEntry {
  std::int64_t row = 0, column = 0;
  float value = 0.0F;
};

/// Reads one entry after the other, and checks each.
class CoordinateReader {
 public:
  /// Reads the header and the sizes.
  /// \throws InputError on a format other than coordinate, integer or real, general; on sizes that are none
  explicit CoordinateReader(const std::filesystem::path& file);

  std::int64_t rows() const { return rows_; }
  std::int64_t columns() const { return columns_; }

  /// The next entry; false at the end.
  /// \throws InputError, with the line, if it is no entry, out of range, negative or not finite, or if there
  ///         are more or fewer entries than announced
  bool next(CoordinateEntry& entry);

  std::string where() const { return lines_.where(); }  ///< "FILE, line N" of the entry last read

 private:
  bool next_content(std::string_view& line);
  void read_sizes();

  std::filesystem::path file_;
  LineReader lines_;
  std::int64_t rows_ = 0, columns_ = 0, entries_ = 0, read_ = 0;
};

}  // namespace regulus::data::detail

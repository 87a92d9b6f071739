#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace regulus::data {

/// Reads a text file line by line; gzip is recognised by its first bytes, not by the name. LF and CRLF line
/// ends; a UTF-8 byte-order mark is dropped.
class LineReader {
 public:
  /// \throws InputError if the file cannot be read or is empty
  explicit LineReader(const std::filesystem::path& file);
  ~LineReader();

  /// The next line without its end, valid until the next call; false at the end of the file.
  /// \throws InputError if the gzip data is truncated or damaged
  bool next(std::string_view& line);

  std::int64_t line_number() const { return line_number_; }  ///< of the line last returned, from 1
  std::string where() const;                                 ///< "FILE, line N", for error messages

 private:
  struct Source;
  bool fill();
  std::string_view take_line(std::size_t length, std::size_t consumed);

  std::filesystem::path file_;
  std::unique_ptr<Source> source_;
  std::string buffer_;
  std::size_t begin_ = 0;
  bool at_end_ = false;
  std::int64_t line_number_ = 0;
};

/// Splits a line of a delimited file at the separator; "quoted" fields may hold separators and doubled
/// quotes. \param fields receives the fields; their storage is reused \throws InputError on a quote that does
/// not close on its line; \param where goes into its message
void split_fields(std::string_view line, char separator, const std::string& where,
                  std::vector<std::string>& fields);

/// The separator that a file name promises: a comma for .csv, a tab for .tsv and .txt, each also with .gz.
/// \throws InputError on any other name
char separator_of(const std::filesystem::path& file);

/// A file name without its folder, suffix and .gz: "STRING" of "networks/STRING.csv.gz".
std::string base_name(const std::filesystem::path& file);

/// A header and rows of equally many fields. Blank lines are allowed at the end only.
class TableReader {
 public:
  /// \throws InputError as LineReader, or if the header lacks the separator that the name promises
  explicit TableReader(const std::filesystem::path& file);

  const std::vector<std::string>& header() const { return header_; }

  /// The next row's fields, valid until the next call; false at the end.
  /// \throws InputError on a blank line between rows, an open quote or damaged data
  bool next(const std::vector<std::string>*& fields);

  /// InputError about the row last read unless it has this many fields.
  void require_width(std::size_t width) const;

  /// "FILE, line N" of the row last read; with a 0-based field, also ", column N" from 1.
  std::string where() const { return lines_.where(); }
  std::string where(std::size_t field) const;

 private:
  LineReader lines_;
  char separator_;
  std::vector<std::string> header_;
  std::vector<std::string> fields_;
};

}  // namespace regulus::data

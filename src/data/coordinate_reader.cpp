#include "coordinate_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "regulus/core/error.h"

namespace regulus::data::detail {

namespace {

constexpr const char* kAgain = "the file is truncated or damaged: write or download it again";

void skip_blanks(std::string_view& text) {
  const auto begin = text.find_first_not_of(" \t");
  text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
}

/// Takes a number from the front; false if there is none, or if it runs into something else.
template <typename T>
bool take(std::string_view& text, T& value) {
  skip_blanks(text);
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return text.empty() || text.front() == ' ' || text.front() == '\t';
}

bool at_end(std::string_view text) {
  skip_blanks(text);
  return text.empty();
}

/// What a header other than the one that is read asks for.
std::string remedy(const std::string& format, const std::string& field, const std::string& symmetry) {
  if (format != "coordinate") return "it is dense: write a sparse matrix, scipy.io.mmwrite(f, sparse)";
  if (field == "pattern") return "it holds positions without values: write counts, matrix.astype(int)";
  if (field == "complex") return "expression is real: write counts or log-normalised values";
  if (symmetry != "general") return "write every entry: scipy.io.mmwrite(f, matrix, symmetry='general')";
  return "write it as 'matrix coordinate integer general' or 'matrix coordinate real general'";
}

void check_header(std::string_view line, const std::string& where) {
  std::string text(line);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::istringstream words(text);
  std::string banner, object, format, field, symmetry;
  words >> banner >> object >> format >> field >> symmetry;
  if (banner != "%%matrixmarket" || object != "matrix")
    throw InputError("the first line is not a header of MatrixMarket", where,
                     "it must begin with %%MatrixMarket matrix");
  const bool numbers = field == "integer" || field == "real";
  if (format != "coordinate" || !numbers || symmetry != "general")
    throw InputError(
        "the matrix is '" + format + " " + field + " " + symmetry + "', which is not read as expression",
        where, remedy(format, field, symmetry));
}

}  // namespace

CoordinateReader::CoordinateReader(const std::filesystem::path& file) : file_(file), lines_(file) {
  std::string_view line;
  if (!lines_.next(line)) throw InputError("the file is empty", file.string());
  check_header(line, lines_.where());
  read_sizes();
}

/// Skips comments and blank lines.
bool CoordinateReader::next_content(std::string_view& line) {
  while (lines_.next(line))
    if (!line.starts_with('%') && !at_end(line)) return true;
  return false;
}

void CoordinateReader::read_sizes() {
  std::string_view line;
  if (!next_content(line)) throw InputError("the line with the sizes is missing", file_.string(), kAgain);
  const std::string text(line);
  const bool complete = take(line, rows_) && take(line, columns_) && take(line, entries_) && at_end(line);
  if (!complete || rows_ < 0 || columns_ < 0 || entries_ < 0)
    throw InputError("'" + text + "' is not the numbers of rows, columns and entries", lines_.where(),
                     kAgain);
}

bool CoordinateReader::next(CoordinateEntry& entry) {
  std::string_view line;
  if (!next_content(line)) {
    if (read_ == entries_) return false;
    throw InputError("there are " + std::to_string(read_) + " entries instead of " + std::to_string(entries_),
                     file_.string(), kAgain);
  }
  if (++read_ > entries_)
    throw InputError("there are more entries than the " + std::to_string(entries_) + " announced",
                     lines_.where(), kAgain);
  const std::string_view whole = line;
  double value = 0.0;
  if (!take(line, entry.row) || !take(line, entry.column) || !take(line, value) || !at_end(line))
    throw InputError("'" + std::string(whole.substr(0, 80)) + "' is not a row, a column and a value",
                     lines_.where(), kAgain);
  if (entry.row < 1 || entry.row > rows_ || entry.column < 1 || entry.column > columns_)
    throw InputError("entry (" + std::to_string(entry.row) + ", " + std::to_string(entry.column) +
                         ") is outside the matrix of " + std::to_string(rows_) + " x " +
                         std::to_string(columns_),
                     lines_.where(), "indices count from 1; the file is damaged, or its sizes are wrong");
  entry.value = static_cast<float>(value);
  if (!std::isfinite(entry.value) || entry.value < 0.0F)
    throw InputError("the value " + std::to_string(value) + " is negative or not finite", lines_.where(),
                     "give counts or log-normalised values, not centred or scaled ones");
  --entry.row;
  --entry.column;
  return true;
}

}  // namespace regulus::data::detail

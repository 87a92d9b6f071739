#include "regulus/data/csv_expression.h"

#include <charconv>
#include <cmath>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/text_table.h"

namespace regulus::data {

namespace {

/// A table as it stands in the file; `matrix.cells` are the rows whatever they are.
struct NamedTable {
  std::string corner;
  bool has_corner = false;
  Expression matrix;
};

constexpr std::int64_t kFirstRow_line = 2;

std::string line_of(const std::filesystem::path& file, std::int64_t line) {
  return file.string() + ", line " + std::to_string(line);
}

float parse_value(const std::string& field, const TableReader& table, std::size_t index) {
  std::string_view text(field);
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  double value = 0.0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure == std::errc::result_out_of_range && end == text.data() + text.size()) {
    // Too small for a double is 0; too large is caught below.
    value = std::strtod(std::string(text).c_str(), nullptr);
  } else if (failure != std::errc() || end != text.data() + text.size()) {
    const std::string what = field.empty() ? "the value is missing" : "'" + field + "' is not a number";
    throw InputError(what, table.where(index),
                     "every cell needs a value for every gene; use 0 for not detected");
  }
  const auto stored = static_cast<float>(value);
  if (!std::isfinite(stored)) throw InputError("the value '" + field + "' is not finite", table.where(index));
  if (stored < 0.0F)
    throw InputError("the value " + field + " is negative", table.where(index),
                     "give counts or log-normalised values, not centred or scaled ones");
  return stored;
}

void append_row(const std::vector<std::string>& fields, const TableReader& table, Expression& matrix) {
  matrix.cells.push_back(fields[0]);
  for (std::size_t field = 1; field < fields.size(); ++field) {
    const float amount = parse_value(fields[field], table, field);
    if (amount == 0.0F) continue;
    matrix.column.push_back(static_cast<std::int32_t>(field - 1));
    matrix.value.push_back(amount);
  }
  matrix.row_begin.push_back(static_cast<std::int64_t>(matrix.value.size()));
}

/// The header either has a corner cell over the row names or is one column shorter than the rows.
void take_header(const TableReader& table, std::size_t row_width, NamedTable& named) {
  const auto& header = table.header();
  named.has_corner = header.size() == row_width;
  if (!named.has_corner && header.size() + 1 != row_width)
    throw InputError(
        "the row has " + std::to_string(row_width) + " columns, the header " + std::to_string(header.size()),
        table.where(), "every row must have its name and as many values as the header names");
  if (named.has_corner) named.corner = header[0];
  named.matrix.genes.assign(header.begin() + (named.has_corner ? 1 : 0), header.end());
}

NamedTable read_table(const std::filesystem::path& file) {
  TableReader table(file);
  NamedTable named;
  named.matrix.row_begin = {0};
  const std::vector<std::string>* fields = nullptr;
  while (table.next(fields)) {
    if (named.matrix.cells.empty()) take_header(table, fields->size(), named);
    table.require_width(named.matrix.genes.size() + 1);
    append_row(*fields, table, named.matrix);
  }
  if (named.matrix.cells.empty()) throw InputError("the table has a header but no rows", file.string());
  return named;
}

/// \param where_of the place of the i-th name, for the error
template <typename Where>
void require_distinct(const std::vector<std::string>& names, const std::string& what, const Where& where_of) {
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty()) throw InputError("the name of the " + what + " is empty", where_of(i));
    const auto [entry, is_new] = first.emplace(names[i], i);
    if (!is_new)
      throw InputError("the " + what + " " + names[i] + " appears twice, first at " + where_of(entry->second),
                       where_of(i), "make the names of the " + what + "s unique");
  }
}

Orientation settle(Orientation asked, const NamedTable& table, const std::filesystem::path& file) {
  if (asked != Orientation::Auto) return asked;
  const OrientationGuess guess = guess_orientation(table.corner, table.matrix.cells, table.matrix.genes);
  if (guess.orientation == Orientation::Auto)
    throw InputError("cannot tell whether rows are genes or cells (" + guess.reason + ")", file.string(),
                     "say --orientation genes-by-cells or --orientation cells-by-genes");
  const bool genes_in_rows = guess.orientation == Orientation::GenesByCells;
  log::info("{}: read as {} ({})", file.string(), genes_in_rows ? "genes x cells" : "cells x genes",
            guess.reason);
  return guess.orientation;
}

}  // namespace

Expression transpose(const Expression& expression) {
  Expression turned;
  turned.cells = expression.genes;
  turned.genes = expression.cells;
  std::vector<std::int64_t> next(expression.genes.size() + 1, 0);
  for (const std::int32_t gene : expression.column) ++next[static_cast<std::size_t>(gene) + 1];
  for (std::size_t gene = 1; gene < next.size(); ++gene) next[gene] += next[gene - 1];
  turned.row_begin = next;
  turned.column.resize(expression.column.size());
  turned.value.resize(expression.value.size());
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell) {
    for (auto k = static_cast<std::size_t>(expression.row_begin[cell]);
         k < static_cast<std::size_t>(expression.row_begin[cell + 1]); ++k) {
      const auto slot = static_cast<std::size_t>(next[static_cast<std::size_t>(expression.column[k])]++);
      turned.column[slot] = static_cast<std::int32_t>(cell);
      turned.value[slot] = expression.value[k];
    }
  }
  return turned;
}

Expression read_csv_expression(const std::filesystem::path& file, Orientation orientation) {
  NamedTable table = read_table(file);
  const Orientation settled = settle(orientation, table, file);
  const bool genes_in_rows = settled == Orientation::GenesByCells;
  require_distinct(table.matrix.cells, genes_in_rows ? "gene" : "cell", [&](std::size_t row) {
    return line_of(file, kFirstRow_line + static_cast<std::int64_t>(row));
  });
  require_distinct(table.matrix.genes, genes_in_rows ? "cell" : "gene", [&](std::size_t column) {
    return line_of(file, 1) + ", column " + std::to_string(column + 1 + (table.has_corner ? 1 : 0));
  });
  return genes_in_rows ? transpose(table.matrix) : std::move(table.matrix);
}

}  // namespace regulus::data

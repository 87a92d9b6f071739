#include "regulus/data/alias_table.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"
#include "regulus/data/gene_names.h"
#include "regulus/data/text_table.h"

namespace regulus::data {

namespace {

constexpr std::size_t kColumns = 2;
constexpr const char* kTwoColumns = "every row has two columns: the alias and its symbol";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// No gene has one of these names.
bool is_header(const std::string& second_field) {
  std::string name = second_field;
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::array kNames = {"symbol",          "gene",        "name",      "token",
                                 "approved_symbol", "gene_symbol", "gene_name", "hgnc_symbol"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

void require_names(const std::vector<std::string>& fields, const std::string& where) {
  if (fields.size() != kColumns)
    throw InputError("the row has " + std::to_string(fields.size()) + " columns instead of 2", where,
                     kTwoColumns);
  for (std::size_t field = 0; field < kColumns; ++field)
    if (fields[field].empty())
      throw InputError("the name in column " + std::to_string(field + 1) + " is empty", where, kTwoColumns);
}

/// The rows of a table without its comments and the blank lines at its end.
class AliasRows {
 public:
  explicit AliasRows(const std::filesystem::path& file) : lines_(file), separator_(separator_of(file)) {}

  bool next(std::vector<std::string>& fields) {
    std::string_view line;
    while (lines_.next(line)) {
      if (!is_utf8(line) || line.find('\0') != std::string_view::npos)
        throw InputError("the line is not UTF-8 text", lines_.where(), "save the table as UTF-8");
      if (line.starts_with('#')) continue;
      if (line.empty()) {
        if (blank_.empty()) blank_ = lines_.where();
        continue;
      }
      if (!blank_.empty()) throw InputError("a blank line between the rows", blank_, "remove it");
      split_fields(line, separator_, lines_.where(), fields);
      for (std::string& field : fields) field = trimmed(field);
      require_names(fields, lines_.where());
      return true;
    }
    return false;
  }

 private:
  LineReader lines_;
  char separator_;
  std::string blank_;
};

}  // namespace

AliasTable AliasTable::read(const std::filesystem::path& file) {
  AliasRows rows(file);
  AliasTable table;
  std::vector<std::string> fields;
  bool has_rows = false;
  for (bool is_first = true; rows.next(fields); is_first = false) {
    if (is_first && is_header(fields[1])) continue;
    table.add(fields[0], fields[1]);
    has_rows = true;
  }
  if (!has_rows) throw InputError("the table has no alias", file.string(), kTwoColumns);
  return table;
}

void AliasTable::add(const std::string& alias, const std::string& symbol) {
  if (alias == symbol) return;
  std::vector<std::string>& symbols = symbols_[without_ensembl_version(alias)];
  if (std::find(symbols.begin(), symbols.end(), symbol) == symbols.end()) symbols.push_back(symbol);
}

const std::vector<std::string>& AliasTable::symbols_of(const std::string& name) const {
  static const std::vector<std::string> kNone;
  const auto entry = symbols_.find(without_ensembl_version(name));
  return entry == symbols_.end() ? kNone : entry->second;
}

}  // namespace regulus::data

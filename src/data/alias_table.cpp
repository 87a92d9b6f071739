#include "regulus/data/alias_table.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "regulus/core/error.h"
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

/// Length of the UTF-8 sequence that a byte starts; 0 if it starts none.
std::size_t sequence_length(unsigned char first) {
  if (first < 0x80U) return first == 0 ? 0 : 1;
  if (first >= 0xC2U && first <= 0xDFU) return 2;
  if (first >= 0xE0U && first <= 0xEFU) return 3;
  return first >= 0xF0U && first <= 0xF4U ? 4 : 0;
}

/// Overlong forms, surrogates and what lies beyond Unicode are told by the second byte.
bool is_second_byte(unsigned char first, unsigned char second) {
  if (first == 0xE0U) return second >= 0xA0U;
  if (first == 0xEDU) return second <= 0x9FU;
  if (first == 0xF0U) return second >= 0x90U;
  return first != 0xF4U || second <= 0x8FU;
}

bool is_text(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(static_cast<unsigned char>(text[at]));
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k)
      if ((static_cast<unsigned char>(text[at + k]) & 0xC0U) != 0x80U) return false;
    if (length > 1 &&
        !is_second_byte(static_cast<unsigned char>(text[at]), static_cast<unsigned char>(text[at + 1])))
      return false;
    at += length;
  }
  return true;
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
      if (!is_text(line))
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

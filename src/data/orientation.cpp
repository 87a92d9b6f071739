#include "regulus/data/orientation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <string_view>

#include "regulus/core/error.h"

namespace regulus::data {

namespace {

constexpr double kClearDifference = 0.5;
constexpr std::size_t kNamesLookedAt = 2000;
constexpr std::size_t kLongestName = 200;  // std::regex recurses with the length of the text

const std::regex& gene_pattern() {
  static const std::regex pattern(
      "ENS[A-Z]*G[0-9]{11}(\\.[0-9]+)?|[0-9]{7}[A-Z][0-9]{2}R(ik|IK)[0-9]*|"
      "[A-Za-z][A-Za-z0-9.-]{0,14}",
      std::regex::optimize);
  return pattern;
}

const std::regex& cell_pattern() {
  static const std::regex pattern("[Cc]ell[-.#]?[0-9]+|(GSM|SRR|ERR|DRR)[0-9]{4,}", std::regex::optimize);
  return pattern;
}

/// Ten bases in a row. Found by hand: a pattern that starts and ends with .* takes the cube of the length.
bool has_barcode(std::string_view name) {
  constexpr std::size_t kShortest = 10;
  constexpr std::string_view kBases = "ACGTN";
  for (std::size_t begin = 0; begin < name.size();) {
    const std::size_t end = std::min(name.find_first_not_of(kBases, begin), name.size());
    if (end - begin >= kShortest) return true;
    begin = end + 1;
  }
  return false;
}

bool is_like_a_cell(const std::string& name) {
  return has_barcode(name) || name.find_first_of("_ :") != std::string::npos ||
         std::regex_match(name, cell_pattern());
}

const std::regex& unclear_pattern() {
  static const std::regex pattern("[A-Z]?[0-9]+", std::regex::optimize);
  return pattern;
}

int gene_likeness(const std::string& name) {
  if (name.size() > kLongestName || std::regex_match(name, unclear_pattern())) return 0;
  if (is_like_a_cell(name)) return -1;
  return std::regex_match(name, gene_pattern()) ? 1 : 0;
}

double mean_likeness(const std::vector<std::string>& names) {
  const std::size_t step = std::max<std::size_t>(1, names.size() / kNamesLookedAt);
  double sum = 0.0;
  double count = 0.0;
  for (std::size_t i = 0; i < names.size(); i += step) {
    sum += gene_likeness(names[i]);
    count += 1.0;
  }
  return count > 0.0 ? sum / count : 0.0;
}

int corner_vote(std::string corner) {
  static const std::set<std::string> kGeneWords = {"gene",      "genes",      "symbol",      "symbols",
                                                   "gene_name", "gene_id",    "gene_symbol", "genename",
                                                   "geneid",    "gene symbol"};
  static const std::set<std::string> kCellWords = {"cell",      "cells",  "barcode",  "barcodes", "cell_id",
                                                   "cell_name", "cellid", "cellname", "cell id"};
  for (char& c : corner) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return static_cast<int>(kGeneWords.contains(corner)) - static_cast<int>(kCellWords.contains(corner));
}

}  // namespace

Orientation parse_orientation(const std::string& text) {
  if (text == "auto") return Orientation::Auto;
  if (text == "genes-by-cells") return Orientation::GenesByCells;
  if (text == "cells-by-genes") return Orientation::CellsByGenes;
  throw OptionError("unknown orientation '" + text + "'", "--orientation",
                    "use auto, genes-by-cells or cells-by-genes");
}

OrientationGuess guess_orientation(const std::string& corner, const std::vector<std::string>& row_names,
                                   const std::vector<std::string>& column_names) {
  const double rows = mean_likeness(row_names);
  const double columns = mean_likeness(column_names);
  const int vote = corner_vote(corner);
  std::string reason = fmt::format(
      "likeness to gene symbols, from -1 (cell names) to 1: rows {:.2f}, columns {:.2f}", rows, columns);
  if (vote != 0) reason += ", corner '" + corner + "'";
  const double difference = rows - columns;
  const bool genes_in_rows = difference >= kClearDifference || (vote > 0 && difference > -kClearDifference);
  const bool cells_in_rows = difference <= -kClearDifference || (vote < 0 && difference < kClearDifference);
  const bool contradiction = (vote > 0 && cells_in_rows) || (vote < 0 && genes_in_rows);
  if (contradiction || genes_in_rows == cells_in_rows) return {Orientation::Auto, reason};
  return {genes_in_rows ? Orientation::GenesByCells : Orientation::CellsByGenes, reason};
}

}  // namespace regulus::data

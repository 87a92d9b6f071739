#include "regulus/data/gene_list.h"

#include <map>
#include <string_view>

#include "regulus/core/error.h"
#include "regulus/data/text_table.h"

namespace regulus::data {

namespace {

constexpr std::string_view kBlanks = " \t";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::vector<std::string> read_gene_list(const std::filesystem::path& file) {
  LineReader lines(file);
  std::vector<std::string> genes;
  std::map<std::string, std::int64_t> first_line;
  std::string_view line;
  while (lines.next(line)) {
    const std::string gene(trimmed(line));
    if (gene.empty()) continue;
    if (gene.find_first_of(",;\t ") != std::string::npos)
      throw InputError("'" + gene + "' is not one gene symbol", lines.where(),
                       "a gene list has one symbol a line");
    const auto [entry, is_new] = first_line.emplace(gene, lines.line_number());
    if (!is_new)
      throw InputError("gene " + gene + " is listed twice, first in line " + std::to_string(entry->second),
                       lines.where(), "remove one of them");
    genes.push_back(gene);
  }
  if (genes.empty()) throw InputError("the gene list is empty", file.string());
  return genes;
}

}  // namespace regulus::data

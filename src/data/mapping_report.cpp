#include "regulus/data/mapping_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "regulus/core/error.h"

namespace regulus::data {

namespace {

constexpr std::size_t kExamples = 5;

/// A tab or a line break inside a name would end its field.
std::string field(const std::string& name) {
  std::string text;
  for (const char c : name) {
    if (c == '\t')
      text += "\\t";
    else if (c == '\n')
      text += "\\n";
    else if (c == '\r')
      text += "\\r";
    else
      text += c;
  }
  return text;
}

std::string detail_of(const GeneMatch& match, const Vocabulary& vocabulary) {
  if (match.match == Match::Duplicate)
    return fmt::format("{} is taken by {}", vocabulary.token(match.id), match.rivals.front());
  return fmt::format("{}", fmt::join(match.rivals, ", "));
}

/// 18,204
std::string grouped(std::size_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

struct Label {
  Match match;
  const char* one;
  const char* several;
};
constexpr std::array kFound = {
    Label{Match::Exact, "exact", "exact"}, Label{Match::Ensembl, "by Ensembl id", "by Ensembl id"},
    Label{Match::UpperCase, "upper case", "upper case"}, Label{Match::Alias, "alias", "alias"}};
constexpr std::array kNotFound = {Label{Match::Missing, "missing", "missing"},
                                  Label{Match::Ambiguous, "ambiguous", "ambiguous"},
                                  Label{Match::Duplicate, "duplicate", "duplicates"}};

template <typename Labels>
std::string counts_of(const GeneMapping& mapping, const Labels& labels) {
  std::vector<std::string> parts;
  for (const Label& label : labels) {
    const auto count = static_cast<std::size_t>(
        std::count_if(mapping.matches.begin(), mapping.matches.end(),
                      [&](const GeneMatch& match) { return match.match == label.match; }));
    if (count > 0) parts.push_back(grouped(count) + " " + (count == 1 ? label.one : label.several));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string first_of(const std::vector<std::string>& names) {
  const std::size_t count = std::min(names.size(), kExamples);
  return fmt::format("{}",
                     fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(count), ", "));
}

/// Spread over the vocabulary, whose first tokens are often unusual ones.
std::string some_genes_of(const Vocabulary& vocabulary) {
  std::vector<std::string> genes;
  for (std::int64_t id = 0; id < vocabulary.size(); ++id)
    if (!is_special_token(vocabulary.token(id))) genes.push_back(vocabulary.token(id));
  std::vector<std::string> examples;
  const std::size_t count = std::min(genes.size(), kExamples);
  for (std::size_t i = 0; i < count; ++i) examples.push_back(genes[i * genes.size() / count]);
  return first_of(examples);
}

}  // namespace

std::string mapping_table(const GeneMapping& mapping, const std::vector<std::string>& genes,
                          const Vocabulary& vocabulary) {
  if (genes.size() != mapping.matches.size())
    throw Error(ErrorKind::Internal, "the mapping is one of another list of genes");
  std::string table = "gene\tstatus\ttoken\tdetail\n";
  for (std::size_t i = 0; i < genes.size(); ++i) {
    const GeneMatch& match = mapping.matches[i];
    const bool has_token = match.id >= 0 && match.match != Match::Duplicate;
    table += field(genes[i]) + '\t' + to_string(match.match) + '\t' +
             (has_token ? field(vocabulary.token(match.id)) : "") + '\t' +
             field(detail_of(match, vocabulary)) + '\n';
  }
  return table;
}

std::string mapping_summary(const GeneMapping& mapping) {
  std::string text =
      fmt::format("{} of {} genes mapped", grouped(mapping.ids.size()), grouped(mapping.matches.size()));
  if (const std::string found = counts_of(mapping, kFound); !found.empty()) text += " (" + found + ")";
  if (const std::string others = counts_of(mapping, kNotFound); !others.empty()) text += "; " + others;
  return text;
}

void require_hits(const GeneMapping& mapping, const Vocabulary& vocabulary, double least_share,
                  const std::string& where) {
  if (mapping.matches.empty()) throw InputError("no genes were asked for", where);
  const double share = static_cast<double>(mapping.ids.size()) / static_cast<double>(mapping.matches.size());
  if (!mapping.ids.empty() && share >= least_share) return;
  const std::string problem =
      mapping.ids.empty()
          ? fmt::format("none of the {} genes is in the model's vocabulary", grouped(mapping.matches.size()))
          : fmt::format(
                "the model knows too few of the genes: {}, which is {:.1f} % where {:.1f} % are asked for",
                mapping_summary(mapping), 100.0 * share, 100.0 * least_share);
  throw InputError(
      fmt::format("{}. Not mapped: {}. The model's genes are such as {}", problem, first_of(mapping.missing),
                  some_genes_of(vocabulary)),
      where,
      "check the species, and whether one side has ids where the other has symbols; --aliases names a table "
      "of aliases or orthologs, --min-mapped lowers the share that is asked for");
}

}  // namespace regulus::data

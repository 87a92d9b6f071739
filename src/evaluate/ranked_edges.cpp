#include "regulus/evaluate/ranked_edges.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <unordered_set>

#include "regulus/core/error.h"
#include "regulus/data/text_table.h"
#include "regulus/translator/gene_filter.h"

namespace regulus::evaluate {

namespace {

constexpr const char* kColumnsHint =
    "the header must name Gene1, Gene2, EdgeWeight or TF, target, importance";

std::size_t column_of(const std::vector<std::string>& header, const std::string& first,
                      const std::string& second, const std::string& where) {
  for (std::size_t column = 0; column < header.size(); ++column) {
    const std::string key = translator::gene_key(header[column]);
    if (key == first || key == second) return column;
  }
  throw InputError("the ranked edges have no column " + first + " or " + second, where, kColumnsHint);
}

double parse_weight(const std::string& text, const std::string& where) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    throw InputError("'" + text + "' is not a finite number", where, "every edge needs a weight");
  return value;
}

std::vector<std::string> distinct(const std::vector<std::string>& names) {
  std::vector<std::string> result;
  std::unordered_set<std::string> known;
  for (const std::string& name : names)
    if (known.insert(name).second) result.push_back(name);
  return result;
}

/// Index of every gene by its upper-case name; the first of several keeps it.
std::unordered_map<std::string, std::int64_t> index_of(const std::vector<std::string>& genes) {
  std::unordered_map<std::string, std::int64_t> index;
  for (std::size_t gene = 0; gene < genes.size(); ++gene)
    index.emplace(translator::gene_key(genes[gene]), static_cast<std::int64_t>(gene));
  return index;
}

/// Reads the rows below a header.
class EdgeParser {
 public:
  EdgeParser(data::LineReader& lines, std::string_view header_line)
      : lines_(lines), separator_(header_line.find('\t') != std::string_view::npos ? '\t' : ',') {
    data::split_fields(header_line, separator_, lines_.where(), fields_);
    width_ = fields_.size();
    source_ = column_of(fields_, "GENE1", "TF", lines_.where());
    target_ = column_of(fields_, "GENE2", "TARGET", lines_.where());
    weight_ = column_of(fields_, "EDGEWEIGHT", "IMPORTANCE", lines_.where());
  }

  void add(std::string_view line, RankedEdges& edges) {
    data::split_fields(line, separator_, lines_.where(), fields_);
    if (fields_.size() != width_)
      throw InputError(
          "the row has " + std::to_string(fields_.size()) + " fields, the header " + std::to_string(width_),
          lines_.where());
    if (fields_[source_].empty() || fields_[target_].empty())
      throw InputError("the gene name is empty", lines_.where());
    edges.source.push_back(fields_[source_]);
    edges.target.push_back(fields_[target_]);
    edges.weight.push_back(parse_weight(fields_[weight_], lines_.where()));
  }

 private:
  data::LineReader& lines_;
  char separator_;
  std::size_t width_ = 0, source_ = 0, target_ = 0, weight_ = 0;
  std::vector<std::string> fields_;
};

}  // namespace

EdgeWeights parse_edge_weights(const std::string& text) {
  if (text == "absolute") return EdgeWeights::Absolute;
  if (text == "signed") return EdgeWeights::Signed;
  throw OptionError("unknown reading of edge weights '" + text + "'", "--edge-weights",
                    "use absolute or signed");
}

std::vector<std::string> RankedEdges::sources() const {
  return distinct(source);
}

std::vector<std::string> RankedEdges::genes() const {
  std::vector<std::string> all = source;
  all.insert(all.end(), target.begin(), target.end());
  return distinct(all);
}

RankedEdges read_ranked_edges(const std::filesystem::path& file) {
  data::LineReader lines(file);
  std::string_view line;
  RankedEdges edges{data::base_name(file), {}, {}, {}};
  if (!lines.next(line)) throw InputError("the file is empty", file.string(), kColumnsHint);
  EdgeParser parser(lines, line);
  while (lines.next(line))
    if (!line.empty()) parser.add(line, edges);
  if (edges.weight.empty()) throw InputError("there is no edge below the header", file.string());
  return edges;
}

std::vector<double> edge_scores(const RankedEdges& edges, const std::vector<std::string>& sources,
                                const std::vector<std::string>& targets,
                                const translator::LabelledPairs& pairs, EdgeWeights weights) {
  const auto source_index = index_of(sources);
  const auto target_index = index_of(targets);
  const auto width = static_cast<std::int64_t>(targets.size());
  std::unordered_map<std::int64_t, double> listed;
  for (std::size_t edge = 0; edge < edges.weight.size(); ++edge) {
    const auto source = source_index.find(translator::gene_key(edges.source[edge]));
    const auto target = target_index.find(translator::gene_key(edges.target[edge]));
    if (source == source_index.end() || target == target_index.end()) continue;
    const double score = weights == EdgeWeights::Absolute ? std::abs(edges.weight[edge]) : edges.weight[edge];
    const auto [entry, added] = listed.emplace(source->second * width + target->second, score);
    if (!added) entry->second = std::max(entry->second, score);
  }
  if (listed.empty())
    throw InputError("no ranked edge is between a candidate source and a candidate target", edges.name,
                     "check that both use the same kind of gene names");
  std::vector<double> scores(pairs.label.size(), -std::numeric_limits<double>::infinity());
  for (std::size_t pair = 0; pair < scores.size(); ++pair) {
    const auto found = listed.find(pairs.source[pair] * width + pairs.target[pair]);
    if (found == listed.end() || (weights == EdgeWeights::Absolute && found->second == 0.0)) continue;
    scores[pair] = found->second;
  }
  return scores;
}

}  // namespace regulus::evaluate

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "inspection.h"
#include "regulus/core/error.h"
#include "regulus/data/csv_expression.h"
#include "regulus/data/gene_list.h"
#include "regulus/data/network.h"
#include "regulus/data/normalise.h"
#include "regulus/data/text_table.h"
#include "regulus/data/vocabulary.h"
#include "regulus/evaluate/metric_row.h"
#include "regulus/evaluate/ranked_edges.h"
#include "regulus/report/metric_table.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

using Header = std::vector<std::string>;

evaluate::Metric metric_of(const nlohmann::json& json) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const auto& interval = json.at("interval");
  if (interval.is_null()) return {json.at("value"), {kNone, kNone}};
  return {json.at("value"), {interval.at(0), interval.at(1)}};
}

evaluate::MetricRow row_of(const nlohmann::json& json) {
  return {json.at("method"),           json.at("dataset"),          json.at("network"),
          json.at("protocol"),         json.at("setting"),          json.at("pairs"),
          json.at("positives"),        metric_of(json.at("auprc")), metric_of(json.at("auprc_ratio")),
          metric_of(json.at("auroc")), metric_of(json.at("epr"))};
}

Inspection inspect_metrics(const nlohmann::json& json) {
  std::vector<evaluate::MetricRow> rows;
  for (const auto& row : json.at("metrics")) rows.push_back(row_of(row));
  Inspection result{.kind = "metrics"};
  result.facts.emplace_back("rows", fmt::format("{}", rows.size()));
  result.table = report::metric_table(rows);
  add_provenance(result, json.at("provenance"));
  return result;
}

Inspection inspect_arguments(const nlohmann::json& json) {
  Inspection result{.kind = "model arguments (args.json)"};
  for (const char* name : {"embsize", "nheads", "d_hid", "nlayers", "max_seq_len"})
    if (json.contains(name)) result.facts.emplace_back(name, json.at(name).dump());
  add_provenance(result, json.value("provenance", nlohmann::json()));
  return result;
}

Inspection inspect_vocabulary(const std::filesystem::path& file) {
  const auto vocabulary = data::Vocabulary::read(file);
  std::vector<std::string> tokens;
  for (std::int64_t id = 0; id < vocabulary.size(); ++id) tokens.push_back(vocabulary.token(id));
  return {.kind = "vocabulary", .facts = {{"tokens", short_list(tokens)}}};
}

Inspection inspect_network(const std::filesystem::path& file) {
  const data::Network network = data::read_network(file);
  std::set<std::string> sources, genes;
  for (const auto& edge : network.edges) {
    sources.insert(edge.source);
    genes.insert(edge.source);
    genes.insert(edge.target);
  }
  return {.kind = "network",
          .facts = {{"edges", fmt::format("{} distinct", network.edges.size())},
                    {"sources", short_list({sources.begin(), sources.end()})},
                    {"genes", fmt::format("{}", genes.size())}}};
}

Inspection inspect_edges(const std::filesystem::path& file) {
  const auto edges = evaluate::read_ranked_edges(file);
  const auto [lowest, highest] = std::minmax_element(edges.weight.begin(), edges.weight.end());
  return {.kind = "ranked edges",
          .facts = {{"edges", fmt::format("{}", edges.weight.size())},
                    {"sources", short_list(edges.sources())},
                    {"genes", fmt::format("{}", edges.genes().size())},
                    {"weights", fmt::format("{:.6g} to {:.6g}", *lowest, *highest)}}};
}

Inspection inspect_expression_table(const std::filesystem::path& file) {
  const data::Expression expression = data::read_csv_expression(file);
  return {.kind = "expression table",
          .facts = {{"cells", short_list(expression.cells)},
                    {"genes", short_list(expression.genes)},
                    {"values", to_string(data::detect_scale(expression)) + ", by their looks"}}};
}

/// A table of our own, by the columns that its header must begin with.
Inspection inspect_own_table(const std::filesystem::path& file, const std::string& kind) {
  data::TableReader table(file);
  const std::vector<std::string>* fields = nullptr;
  std::int64_t rows = 0;
  while (table.next(fields)) {
    table.require_width(table.header().size());
    ++rows;
  }
  return {.kind = kind,
          .facts = {{"rows", fmt::format("{}", rows)},
                    {"columns", fmt::format("{}", fmt::join(table.header(), ", "))}}};
}

bool has(const Header& header, const std::string& name) {
  return std::find(header.begin(), header.end(), name) != header.end();
}

bool begins_with(const Header& header, const Header& names) {
  return header.size() >= names.size() && std::equal(names.begin(), names.end(), header.begin());
}

/// One column, or a single word on the first line: a gene list is no table.
bool is_gene_list(const std::filesystem::path& file) {
  data::LineReader lines(file);
  std::string_view line;
  return lines.next(line) && line.find_first_of(",\t") == std::string_view::npos;
}

}  // namespace

Inspection inspect_json(const std::filesystem::path& file) {
  const auto json = nlohmann::json::parse(storage::read_text(file), nullptr, false);
  if (json.is_discarded()) throw InputError("is not JSON, or is truncated", file.string());
  if (!json.is_object()) throw InputError("is JSON, but nothing that regulus writes", file.string());
  try {
    if (json.value("format", "") == "regulus metrics") return inspect_metrics(json);
    if (json.contains("embsize")) return inspect_arguments(json);
  } catch (const nlohmann::json::exception& failure) {
    throw InputError(std::string("lacks a part: ") + failure.what(), file.string());
  }
  return inspect_vocabulary(file);
}

Inspection inspect_table(const std::filesystem::path& file) {
  if (is_gene_list(file))
    return {.kind = "gene list", .facts = {{"genes", short_list(data::read_gene_list(file))}}};
  const Header header = data::TableReader(file).header();
  if (begins_with(header, {"method", "dataset"}))
    return inspect_own_table(file, has(header, "threshold") ? "curves" : "metrics");
  if (begins_with(header, {"step", "tokens"})) return inspect_own_table(file, "loss curve");
  if (has(header, "EdgeWeight") || has(header, "importance")) return inspect_edges(file);
  if (begins_with(header, {"Gene1", "Gene2"})) return inspect_network(file);
  return inspect_expression_table(file);
}

}  // namespace regulus::app

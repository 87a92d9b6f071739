#include "regulus/report/edge_export.h"

#include <fmt/format.h>

#include "edge_anndata.h"
#include "edge_merge.h"
#include "regulus/core/error.h"
#include "regulus/report/csv.h"
#include "text_output.h"

namespace regulus::report {

namespace {

std::vector<std::string> fields_of(const std::vector<std::string>& names) {
  std::vector<std::string> fields;
  for (const auto& name : names) fields.push_back(csv_field(name, '\t'));
  return fields;
}

/// Both text formats are tab-separated; only adjacencies have room for further columns.
void write_text(const storage::EdgeStore& store, const ExportOptions& options, const std::string& header,
                bool all_columns) {
  const bool spread = all_columns && store.header().spread;
  const bool false_discovery = all_columns && store.header().false_discovery;
  const auto sources = fields_of(store.header().sources);
  const auto targets = fields_of(store.header().targets);
  TextOutput out(options.file);
  out.write(header + (spread ? "\tspread" : "") + (false_discovery ? "\tfalse_discovery" : "") + "\n");
  EdgeMerge merge(store, {options.top_k, options.threshold});
  fmt::memory_buffer line;
  for (Edge edge; merge.next(edge); line.clear()) {
    const auto end = std::back_inserter(line);
    fmt::format_to(end, "{}\t{}\t{}", sources[static_cast<std::size_t>(edge.source)],
                   targets[static_cast<std::size_t>(edge.target)], edge.score);
    if (spread) fmt::format_to(end, "\t{}", edge.spread);
    if (false_discovery) fmt::format_to(end, "\t{}", edge.false_discovery);
    line.push_back('\n');
    out.write({line.data(), line.size()});
  }
  out.close();
}

EdgeFormat format_of_name(const std::filesystem::path& file) {
  const std::string suffix = file.extension().string();
  if (suffix == ".tsv") return EdgeFormat::Adjacencies;
  if (suffix == ".csv") return EdgeFormat::RankedEdges;
  if (suffix == ".h5ad") return EdgeFormat::AnnData;
  throw OptionError("'" + file.string() + "' ends in neither .tsv, .csv nor .h5ad", "--out",
                    "say --format adjacencies, ranked-edges or anndata");
}

}  // namespace

EdgeFormat parse_edge_format(const std::string& text) {
  if (text == "auto") return EdgeFormat::Auto;
  if (text == "adjacencies") return EdgeFormat::Adjacencies;
  if (text == "ranked-edges") return EdgeFormat::RankedEdges;
  if (text == "anndata") return EdgeFormat::AnnData;
  throw OptionError("unknown format of edges '" + text + "'", "--format",
                    "use auto, adjacencies, ranked-edges or anndata");
}

EdgeFormat resolve_format(const ExportOptions& options) {
  const EdgeFormat format =
      options.format == EdgeFormat::Auto ? format_of_name(options.file) : options.format;
  if (format != EdgeFormat::AnnData && !options.expression.empty())
    throw OptionError("only AnnData has room for expression", "--expression", "write to a .h5ad file");
  return format;
}

void export_edges(const storage::EdgeStore& store, const ExportOptions& options) {
  switch (resolve_format(options)) {
    case EdgeFormat::Adjacencies:
      write_text(store, options, "TF\ttarget\timportance", true);
      break;
    case EdgeFormat::RankedEdges:
      write_text(store, options, "Gene1\tGene2\tEdgeWeight", false);
      break;
    default:
      write_anndata(store, options);
  }
}

}  // namespace regulus::report

#include <cmath>
#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/report/edge_export.h"
#include "regulus/storage/edge_store.h"

namespace regulus::app {

namespace {

void declare(po::options_description& description) {
  auto add = description.add_options();
  add("input", po::value<std::string>()->value_name("EDGES.h5"), "the edges, as regulus infer wrote them");
  add("out", po::value<std::string>()->value_name("FILE"), "the file to write");
  add("format", po::value<std::string>()->default_value("auto")->value_name("FORMAT"),
      "auto (by the name of --out: .tsv, .csv, .h5ad), adjacencies (TF, target, importance: pySCENIC's), "
      "ranked-edges (Gene1, Gene2, EdgeWeight: BEELINE's) or anndata");
  add("top-k", po::value<std::int64_t>()->value_name("N"),
      "no more than the best N edges of every source (default: all that the file has)");
  add("threshold", po::value<double>()->value_name("X"), "only edges with at least this score");
  add("expression", po::value<std::string>()->value_name("FILE.h5ad"),
      "of anndata: the prepared cells, which the network is added to (default: the genes alone)");
}

report::ExportOptions export_options(const Options& options) {
  report::ExportOptions result;
  result.file = options.get<std::string>("out");
  result.format = report::parse_edge_format(options.get<std::string>("format"));
  if (options.given("top-k")) result.top_k = options.in_range<std::int64_t>("top-k", 1);
  if (options.given("threshold")) result.threshold = static_cast<float>(options.get<double>("threshold"));
  if (std::isnan(result.threshold)) throw OptionError("is not a number", "--threshold");
  if (options.given("expression")) result.expression = options.get<std::string>("expression");
  report::resolve_format(result);
  return result;
}

void require_separate(const std::filesystem::path& input, const report::ExportOptions& options) {
  std::error_code absent;
  for (const auto& file : {input, options.expression})
    if (std::filesystem::equivalent(file, options.file, absent))
      throw OptionError("'" + options.file.string() + "' is an input too and would be replaced", "--out",
                        "give the output another name");
}

void require_stored(const storage::EdgeStore& store, const Options& options) {
  const std::int64_t stored = store.header().edges_per_source;
  if (options.given("top-k") && options.get<std::int64_t>("top-k") > stored)
    throw OptionError(fmt::format("the file has {} edges of every source", stored), "--top-k",
                      "run regulus infer with a larger --top-k");
}

void export_file(Session& session, report::ExportOptions options) {
  const std::filesystem::path input = session.options.get<std::string>("input");
  require_separate(input, options);
  const storage::EdgeStore store(input);
  require_stored(store, session.options);
  session.provenance.start_phase("hash inputs");
  session.provenance.add_input(input);
  if (!options.expression.empty()) session.provenance.add_input(options.expression);
  session.provenance.end_phase();
  options.provenance_json = session.provenance.to_json().dump();
  report::export_edges(store, options);
  log::info("{}: the edges of {} sources and {} targets", options.file.string(), store.source_count(),
            store.target_count());
}

void run(Session& session) {
  const report::ExportOptions options = export_options(session.options);
  comm::agree_on_root(session.world, "export", [&] { export_file(session, options); });
}

}  // namespace

Command export_command() {
  return {"export", "Turn inferred edges into the files of pySCENIC, BEELINE or AnnData", declare, run,
          "input"};
}

}  // namespace regulus::app

#include <fmt/format.h>

#include "inspection.h"
#include "regulus/core/error.h"
#include "regulus/data/h5ad.h"
#include "regulus/data/normalise.h"
#include "regulus/storage/edge_store.h"
#include "regulus/storage/feature_store.h"
#include "regulus/storage/hdf5.h"
#include "regulus/translator/translator.h"

namespace regulus::app {

namespace {

using storage::H5File;

/// Text that should be JSON; null if it is not.
nlohmann::json parse(const std::string& text) {
  return nlohmann::json::parse(text, nullptr, false);
}

void add_grids(Inspection& result, const std::map<std::string, std::vector<double>>& grids) {
  for (const auto& [name, values] : grids)
    result.facts.emplace_back("grid", fmt::format("{}: {:.4g}", name, fmt::join(values, " ")));
}

/// Every feature of a complete store, so that a damaged one is found.
void read_features(const std::filesystem::path& file) {
  const storage::FeatureStore store(file);
  for (const auto& probe : store.header().probes)
    for (std::int64_t tile = 0; tile < store.header().plan().count(); ++tile) {
      const auto block = store.header().plan().block(tile);
      if (block.target_begin == 0) store.read_sources(probe.name, block.source_begin, block.source_count);
    }
}

Inspection inspect_feature_store(const std::filesystem::path& file) {
  const auto summary = storage::describe_feature_store(file);
  const auto& header = summary.header;
  Inspection result{.kind = "feature store"};
  result.facts = {{"sources", short_list(header.sources)}, {"targets", short_list(header.targets)}};
  for (const auto& probe : header.probes)
    result.facts.emplace_back("features",
                              fmt::format("{}: {} per pair, {}", probe.name, probe.width, probe.description));
  result.facts.emplace_back("background", header.background);
  add_grids(result, header.grids);
  result.facts.emplace_back("checkpoint", header.checkpoint_sha256);
  result.facts.emplace_back("tiles", fmt::format("{} of {} done", summary.tiles_done, summary.tiles));
  add_provenance(result, parse(header.provenance_json));
  if (summary.complete)
    read_features(file);
  else
    result.unfinished = fmt::format("{} of {} tiles are done", summary.tiles_done, summary.tiles);
  return result;
}

/// The working file of an inference, which nobody needs once its edges are there.
Inspection inspect_scores(const std::filesystem::path& file) {
  const auto summary = storage::describe_feature_store(file, storage::StoreKind::Scores);
  Inspection result{.kind = "scores of an unfinished infer"};
  result.facts = {{"sources", short_list(summary.header.sources)},
                  {"targets", short_list(summary.header.targets)},
                  {"tiles", fmt::format("{} of {} done", summary.tiles_done, summary.tiles)}};
  add_provenance(result, parse(summary.header.provenance_json));
  result.unfinished =
      fmt::format("{} of {} tiles are done; infer --resume goes on", summary.tiles_done, summary.tiles);
  return result;
}

/// Everything in an edge file, so that a damaged one is found.
void read_edges(const storage::EdgeStore& store) {
  for (std::int64_t source = 0; source < store.source_count(); ++source) {
    store.read(source, 1);
    if (store.header().matrix != storage::ScoreMatrix::None) store.read_scores(source, 1);
  }
}

Inspection inspect_edges(const std::filesystem::path& file) {
  const storage::EdgeStore store(file);
  const auto& header = store.header();
  Inspection result{.kind = "edges"};
  result.facts = {{"sources", short_list(header.sources)},
                  {"targets", short_list(header.targets)},
                  {"edges", fmt::format("the best {} of every source", header.edges_per_source)}};
  if (header.spread) result.facts.emplace_back("column", "spread");
  if (header.false_discovery) result.facts.emplace_back("column", "false discovery rate");
  result.facts.emplace_back("scores of all pairs", to_string(header.matrix));
  result.facts.emplace_back("background", header.background);
  result.facts.emplace_back("checkpoint", header.checkpoint_sha256);
  result.facts.emplace_back("translator", header.translator_sha256);
  add_provenance(result, parse(header.provenance_json));
  read_edges(store);
  return result;
}

/// An export without cells: genes and edges alone.
Inspection inspect_network(const H5File& file) {
  const auto provenance = parse(file.read_string("/uns/regulus/provenance"));
  Inspection result{.kind = "network (AnnData)"};
  result.facts = {{"genes", short_list(file.read_strings("/var/_index"))},
                  {"edges", fmt::format("{}", file.read<float>("/varp/regulus/data").size())}};
  add_provenance(result, provenance);
  return result;
}

Inspection inspect_translator(const std::filesystem::path& file) {
  const auto translator = translator::Translator::load(file);
  const auto& record = translator.record();
  Inspection result{.kind = "translator"};
  for (const auto& model : translator.models())
    result.facts.emplace_back(
        "probe", fmt::format("{}: {} inputs, {} layers, {} parameters", model.probe, model.shape.inputs(),
                             model.shape.layers(), model.shape.parameters()));
  result.facts.emplace_back("members", fmt::to_string(translator.member_count()));
  result.facts.emplace_back("null translators", fmt::to_string(translator.null_count()));
  result.facts.emplace_back("trained on", fmt::format("{} with {}", fmt::join(record.data_sets, ", "),
                                                      fmt::join(record.networks, ", ")));
  result.facts.emplace_back("genes seen", short_list(record.seen_genes));
  result.facts.emplace_back("genes held out", short_list(record.holdout_genes));
  result.facts.emplace_back("background", record.origin.background);
  add_grids(result, record.origin.grids);
  result.facts.emplace_back("checkpoint", record.origin.checkpoint_sha256);
  add_provenance(result, parse(record.provenance_json));
  return result;
}

Inspection inspect_expression(const std::filesystem::path& file) {
  const data::Expression expression = data::read_h5ad(file);
  const auto recorded = data::read_h5ad_scale(file);
  const double entries =
      static_cast<double>(expression.cell_count()) * static_cast<double>(expression.gene_count());
  const double density = entries > 0.0 ? static_cast<double>(expression.value.size()) / entries : 0.0;
  Inspection result{.kind = "expression (AnnData)"};
  result.facts = {{"cells", short_list(expression.cells)},
                  {"genes", short_list(expression.genes)},
                  {"values", recorded ? to_string(*recorded) + ", as recorded"
                                      : to_string(data::detect_scale(expression)) + ", by their looks"},
                  {"not zero", fmt::format("{:.1f} %", 100.0 * density)}};
  const H5File raw = H5File::open_read(file);
  constexpr const char* kProvenance = "/uns/regulus/provenance";
  add_provenance(result, raw.has(kProvenance) ? parse(raw.read_string(kProvenance)) : nlohmann::json());
  return result;
}

}  // namespace

Inspection inspect_hdf5(const std::filesystem::path& file) {
  if (storage::is_feature_store(file)) return inspect_feature_store(file);
  if (storage::is_feature_store(file, storage::StoreKind::Scores)) return inspect_scores(file);
  if (storage::is_edge_store(file)) return inspect_edges(file);
  const H5File raw = H5File::open_read(file);
  if (raw.has("/varp/regulus") && raw.has("/obs/_index") && raw.shape("/obs/_index")[0] == 0)
    return inspect_network(raw);
  if (raw.has_attribute("/", "format")) return inspect_translator(file);
  if (raw.has("/X")) return inspect_expression(file);
  throw InputError("is an HDF5 file, but neither a feature store, edges, a translator nor AnnData",
                   file.string());
}

}  // namespace regulus::app

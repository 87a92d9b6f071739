#include <filesystem>
#include <optional>

#include "commands.h"
#include "infer_setup.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/core/same_job.h"
#include "regulus/probe/feature_columns.h"
#include "regulus/probe/model_broadcast.h"
#include "regulus/report/edge_export.h"
#include "regulus/storage/edge_store.h"
#include "regulus/storage/text_file.h"
#include "regulus/translator/edge_ranking.h"
#include "regulus/translator/tile_scores.h"
#include "resources.h"
#include "tile_run.h"

namespace regulus::app {

namespace {

namespace fs = std::filesystem;

void declare(po::options_description& options) {
  declare_probe_options(options);
  declare_edge_options(options);
  declare_tile_options(options);
  options.add_options()("out", po::value<std::string>()->value_name("FILE.h5"), "edge file to write");
  options.add_options()(
      "export", list<std::string>()->value_name("FILE..."),
      "also write the edges as adjacencies (.tsv), BEELINE's ranked edges (.csv) or AnnData (.h5ad)");
}

/// All that a run of `infer` is.
struct Inference {
  std::string out;
  translator::Translator translator;
  translator::ScoreOptions scores;
  storage::EdgeStoreHeader edges;

  /// Scores of all pairs until they are ranked.
  std::string working_file() const { return out + ".tiles"; }
};

/// A grid that this run has no use for, since the translator was trained on other features as well, may
/// differ.
void require_same_features(const Session& session, const translator::Translator& translator,
                           const storage::FeatureStoreHeader& header) {
  translator::FeatureOrigin expected = translator.record().origin;
  for (const auto& [name, values] : header.grids)
    if (values.empty()) expected.grids[name].clear();
  require_same_origin(expected, session.options.get<std::string>("translator"), translator::origin_of(header),
                      "this run");
}

/// \throws OptionError before anything is computed
void require_same_widths(const translator::Translator& translator,
                         const std::vector<storage::ProbeColumns>& columns) {
  for (const auto& column : columns) {
    if (!translator.has(column.name)) continue;
    const std::int64_t wanted = translator.model(column.name).shape.inputs();
    if (wanted != column.width)
      throw OptionError(fmt::format("the translator takes {} values of {} a pair, and this run makes {}",
                                    wanted, column.name, column.width),
                        "--translator",
                        "use the options of the probe that it was trained on (--attention, grids)");
  }
}

/// Whether the edges of this very job are there already. \throws OptionError if something else is
/// \collective yes
bool already_complete(const Session& session, const std::string& out, const nlohmann::json& record) {
  bool complete = false;
  comm::agree_on_root(session.world, "looking at the output", [&] {
    if (session.options.get<bool>("overwrite") || !fs::exists(out)) return;
    if (!session.options.get<bool>("resume"))
      throw OptionError("is there already", out, "--overwrite replaces it");
    const auto provenance = nlohmann::json::parse(storage::EdgeStore(out).header().provenance_json);
    require_same_job(provenance.value("job", nlohmann::json::object()), record, out);
    storage::remove_file(out + ".tiles");  // the run may have been killed before it did
    complete = true;
  });
  session.world.broadcast_value(complete);
  return complete;
}

/// The job of the edges: that of the features and what is made of them.
nlohmann::json job_record(const Session& session, nlohmann::json record, const Inference& inference) {
  std::string sha256;
  comm::agree_on_root(session.world, "hashing the translator", [&] {
    const std::string& file = session.options.get<std::string>("translator");
    session.provenance.add_input(file);
    sha256 = session.provenance.input_sha256(file);
  });
  session.world.broadcast(sha256);
  record["translator"] = sha256;
  record["edge-spread"] = inference.scores.spread;
  record["false-discovery"] = inference.scores.false_discovery;
  return record;
}

/// The scores of all pairs, in the working file.
void score_pairs(Session& session, const StopRule& stop, const backbone::Backbone& model,
                 const probe::ProbeJob& job, const Inference& inference,
                 const storage::FeatureStoreHeader& header) {
  auto store = open_store(session, inference.working_file(), header);
  if (!store) return;
  log::info("scoring {} sources x {} targets in {} tiles", job.source_count(), job.gene_count(),
            job.plan().count());
  const translator::TileTranslator translate(inference.translator, inference.scores, job.sources);
  run_tiles(session, stop, model, job, *store,
            [&](probe::StoredTile tile) { return translate(std::move(tile), job.plan().block(tile.index)); });
  store->finish(session.provenance.to_json().dump());
}

/// \collective yes
void write_edges(Session& session, const Inference& inference, const nlohmann::json& record) {
  std::optional<storage::FeatureStore> scores;
  std::optional<storage::EdgeStoreWriter> edges;
  comm::agree(session.world, "ranking", [&] {
    scores.emplace(inference.working_file(), storage::StoreKind::Scores);
    if (session.world.is_root()) edges.emplace(inference.out, inference.edges);
  });
  Progress progress("ranking", static_cast<std::int64_t>(inference.edges.sources.size()), "sources",
                    session.progress);
  translator::rank_edges(session.world, *scores, inference.translator.null_count(), edges ? &*edges : nullptr,
                         inference.edges, progress);
  scores.reset();
  comm::agree_on_root(session.world, "writing edges", [&] {
    session.provenance.end_phase();
    nlohmann::json provenance = session.provenance.to_json();
    provenance["job"] = record;
    edges->finish(provenance.dump());
    storage::remove_file(inference.working_file());
  });
}

/// The forms that --export asks for. \throws OptionError before anything is spent
std::vector<report::ExportOptions> exports(const Options& options) {
  std::vector<report::ExportOptions> result;
  if (!options.given("export")) return result;
  for (const std::string& file : options.get<std::vector<std::string>>("export")) {
    result.push_back({.file = file});
    result.back().format = report::resolve_format(result.back());
  }
  return result;
}

/// \collective yes
void export_all(const Session& session, const std::string& out,
                const std::vector<report::ExportOptions>& wanted) {
  comm::agree_on_root(session.world, "exporting the edges", [&] {
    for (const auto& options : wanted) {
      export_edges(storage::EdgeStore(out), options);
      log::info("wrote {}", options.file.string());
    }
  });
}

void run(Session& session) {
  const StopRule stop(session);
  const Options& options = session.options;
  const std::vector<report::ExportOptions> wanted = exports(options);
  session.provenance.start_phase("read");
  Inference inference{options.get<std::string>("out"), load_translator(session), {}, {}};
  inference.scores = score_options(options, inference.translator);
  const backbone::TransformerOptions use = transformer_options(session);
  const auto model = probe::open_backbone(session.world, options.get<std::string>("model"), use);
  const probe::ProbeJob job =
      describe_probe(session, *model, features_of(inference.translator), inference.out);
  record_probe_inputs(session);
  const nlohmann::json record = job_record(session, probe_job_record(session, *model, job, use), inference);
  storage::FeatureStoreHeader header = store_header(session, *model, job, record);
  require_same_features(session, inference.translator, header);
  require_same_widths(inference.translator, probe::feature_columns(job, model->embedding_width()));
  header.kind = storage::StoreKind::Scores;
  header.probes = score_columns(inference.scores);
  header.tile_columns = score_counts(inference.scores);
  inference.edges = edge_header(options, job);
  inference.edges.checkpoint_sha256 = header.checkpoint_sha256;
  inference.edges.translator_sha256 = record.at("translator").get<std::string>();
  nlohmann::json edge_record = record;
  edge_record["top-k"] = inference.edges.edges_per_source;
  edge_record["scores"] = options.get<std::string>("scores");
  if (already_complete(session, inference.out, edge_record)) {
    log::info("{} is already complete", inference.out);
    export_all(session, inference.out, wanted);
    return;
  }
  Needs needs = needs_of_run(session, *model, job, edge_store_bytes(inference.edges));
  needs.working = store_bytes(header);
  require_room(session.world, needs, inference.out);
  session.provenance.start_phase("score");
  score_pairs(session, stop, *model, job, inference, header);
  session.provenance.start_phase("rank");
  write_edges(session, inference, edge_record);
  log::info("wrote {}: the best {} targets of {} sources", inference.out, inference.edges.edges_per_source,
            job.source_count());
  export_all(session, inference.out, wanted);
}

}  // namespace

Command infer_command() {
  return {.name = "infer",
          .summary = "scored edges genome-wide: probe and translate tile by tile, without storing features",
          .declare = declare,
          .run = run,
          .resumable = true,
          .accelerated = true};
}

}  // namespace regulus::app

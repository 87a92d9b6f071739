#include "commands.h"
#include "regulus/core/log.h"
#include "regulus/probe/feature_columns.h"
#include "regulus/probe/model_broadcast.h"
#include "resources.h"
#include "tile_run.h"

namespace regulus::app {

namespace {

void declare(po::options_description& options) {
  declare_probe_options(options);
  declare_feature_options(options);
  declare_tile_options(options);
  auto add = options.add_options();
  add("out", po::value<std::string>(), "feature store to write (.h5)");
  add("compress", po::value<int>()->default_value(0),
      "compress the finished store: 1 (fast) to 9 (small); 0: leave it as it is");
}

void run(Session& session) {
  const StopRule stop(session);
  const Options& options = session.options;
  const std::string& out = options.get<std::string>("out");
  const int compression = options.in_range("compress", 0, 9);
  session.provenance.start_phase("read");
  const backbone::TransformerOptions use = transformer_options(session);
  const auto model = probe::open_backbone(session.world, options.get<std::string>("model"), use);
  const probe::ProbeJob job = describe_probe(session, *model, chosen_features(options), out);
  record_probe_inputs(session);
  storage::FeatureStoreHeader header =
      store_header(session, *model, job, probe_job_record(session, *model, job, use));
  header.probes = probe::feature_columns(job, model->embedding_width());
  require_room(session.world, needs_of_run(session, *model, job, store_bytes(header)), out);
  auto store = open_store(session, out, header);
  if (!store) {
    log::info("{} is already complete", out);
    return;
  }
  log::info("probing {} sources x {} targets; {} backgrounds, {} cells of osg", job.source_count(),
            job.gene_count(), job.backgrounds->count(), job.cells->count());
  session.provenance.start_phase("probe");
  run_tiles(session, stop, *model, job, *store, [](probe::StoredTile tile) { return tile; });
  session.provenance.end_phase();
  store->finish(session.provenance.to_json().dump(), compression);
  log::info("wrote {}", out);
}

}  // namespace

Command probe_command() {
  return {.name = "probe",
          .summary = "responses of a frozen model to every source, as features of every pair",
          .declare = declare,
          .run = run,
          .resumable = true,
          .accelerated = true};
}

}  // namespace regulus::app

#include "commands.h"
#include "probe_setup.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/core/progress.h"
#include "regulus/probe/model_broadcast.h"
#include "regulus/probe/runner.h"

namespace regulus::app {

namespace {

void declare(po::options_description& options) {
  declare_probe_options(options);
  options.add_options()("out", po::value<std::string>(), "feature store to write (.h5)");
}

storage::FeatureStoreHeader header_of(const Session& session, const backbone::Backbone& model,
                                      const probe::ProbeJob& job) {
  storage::FeatureStoreHeader header;
  header.targets = job.genes;
  for (const std::int64_t source : job.sources)
    header.sources.push_back(job.genes[static_cast<std::size_t>(source)]);
  header.probes = probe::feature_columns(job, model.embedding_width());
  header.grids = {
      {"perturbation", job.perturbation_grid}, {"gradient", job.gradient_grid}, {"v_b", {job.v_b}}};
  header.background = session.options.get<std::string>("background");
  header.checkpoint_sha256 = model.checkpoint_sha256();
  header.provenance_json = session.provenance.to_json().dump();
  header.sources_per_tile = job.sources_per_tile;
  return header;
}

/// The folder or file of --model, without the kind before the colon.
std::string path_of_model(const std::string& model) {
  return probe::is_scripted(model) ? model.substr(model.find(':') + 1) : model;
}

void record_inputs(const Session& session) {
  comm::agree_on_root(session.world, "hashing the inputs", [&] {
    session.provenance.add_input(path_of_model(session.options.get<std::string>("model")));
    for (const char* option : {"expression", "genes", "sources", "aliases"})
      if (session.options.given(option))
        session.provenance.add_input(session.options.get<std::string>(option));
  });
}

void run(Session& session) {
  const Options& options = session.options;
  const std::string& out = options.get<std::string>("out");
  session.provenance.start_phase("read");
  const auto model =
      probe::open_backbone(session.world, options.get<std::string>("model"), transformer_options(session));
  const probe::ProbeJob job = describe_probe(session, *model);
  record_inputs(session);
  log::info("probing {} sources x {} targets; {} backgrounds, {} cells of osg", job.source_count(),
            job.gene_count(), job.backgrounds->count(), job.cells->count());
  auto store = storage::FeatureStoreWriter::create(session.world, out, header_of(session, *model, job));
  session.provenance.start_phase("probe");
  {
    Progress progress("probe", probe::units_of_rank(session.world, job), "units", session.progress);
    probe::run(session.world, *model, job, store, progress);
  }
  session.provenance.end_phase();
  store.finish(session.provenance.to_json().dump());
  log::info("wrote {}", out);
}

}  // namespace

Command probe_command() {
  return {.name = "probe",
          .summary = "responses of a frozen model to every source, as features of every pair",
          .declare = declare,
          .run = run,
          .accelerated = true};
}

}  // namespace regulus::app

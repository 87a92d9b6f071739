#include "tile_run.h"

#include <algorithm>

#include "regulus/comm/agree.h"
#include "regulus/core/log.h"

namespace regulus::app {

namespace {

using storage::StoreState;

/// What lies where the store goes, as rank 0 sees it.
StoreState state_of(const Session& session, const std::string& path,
                    const storage::FeatureStoreHeader& header) {
  auto state = StoreState::Absent;
  comm::agree_on_root(session.world, "looking at the output", [&] {
    const bool overwrite = session.options.get<bool>("overwrite");
    const bool resume = session.options.get<bool>("resume");
    if (overwrite && resume)
      throw OptionError("contradict each other", "--overwrite and --resume", "give one of them");
    if (overwrite) return;
    state = storage::store_state(path, header.kind);
    if (state == StoreState::Absent) return;
    if (resume)
      storage::require_same_job(path, header.job_json, header.kind);
    else if (state == StoreState::Complete)
      throw OptionError("is there already, and complete", path,
                        header.kind == storage::StoreKind::Scores
                            ? "--resume goes on with its scores, --overwrite starts anew"
                            : "--overwrite replaces it");
    else
      throw OptionError("is there already, from an interrupted run", path,
                        "--resume goes on with it, --overwrite starts anew");
  });
  session.world.broadcast_value(state);
  return state;
}

nlohmann::json to_json(const probe::RunResult& result) {
  nlohmann::json json;
  for (const auto& rank : result.times) {
    json["compute"].push_back(rank.compute_s);
    json["wait"].push_back(rank.wait_s);
    json["exchange"].push_back(rank.exchange_s);
    json["write"].push_back(rank.write_s);
  }
  for (const auto& rank : result.units) {
    json["units"].push_back(rank.count);
    json["unit_flops"].push_back(rank.flops);
    json["unit_seconds"].push_back(rank.seconds);
    json["unit_spread"].push_back(rank.spread);
  }
  return json;
}

}  // namespace

void declare_tile_options(po::options_description& options) {
  auto add = options.add_options();
  add("overwrite", po::bool_switch(), "replace what is there under --out");
  add("round-seconds", po::value<double>()->value_name("SECONDS"),
      "time between two writes of finished tiles (default: 10 to 1800, a hundred units of work)");
}

std::optional<storage::FeatureStoreWriter> open_store(const Session& session, const std::string& path,
                                                      const storage::FeatureStoreHeader& header) {
  switch (state_of(session, path, header)) {
    case StoreState::Complete:
      return std::nullopt;
    case StoreState::Unfinished: {
      auto store = storage::FeatureStoreWriter::resume(session.world, path, header);
      log::info("{}: {} of {} tiles are there already", path,
                std::count(store.done().begin(), store.done().end(), 1), store.tile_count());
      return store;
    }
    case StoreState::Absent:
      break;
  }
  return storage::FeatureStoreWriter::create(session.world, path, header);
}

storage::FeatureStoreHeader store_header(const Session& session, const backbone::Backbone& model,
                                         const probe::ProbeJob& job, const nlohmann::json& record) {
  storage::FeatureStoreHeader header;
  header.targets = job.genes;
  for (const std::int64_t source : job.sources)
    header.sources.push_back(job.genes[static_cast<std::size_t>(source)]);
  header.grids = {
      {"perturbation", job.perturbation_grid}, {"gradient", job.gradient_grid}, {"v_b", {job.v_b}}};
  header.background = session.options.get<std::string>("background");
  header.checkpoint_sha256 = model.checkpoint_sha256();
  header.provenance_json = session.provenance.to_json().dump();
  header.sources_per_tile = job.sources_per_tile;
  header.targets_per_tile = job.targets_per_tile;
  header.job_json = record.dump();
  return header;
}

void run_tiles(Session& session, const StopRule& stop, const backbone::Backbone& model,
               const probe::ProbeJob& job, storage::FeatureStoreWriter& store,
               const std::function<probe::StoredTile(probe::StoredTile)>& finish) {
  Progress progress(session.provenance.command(), probe::units_left(session.world, model, job, store),
                    "units", session.progress);
  probe::RunControl control{.progress = progress,
                            .stop_requested = [&](double seconds) { return stop(seconds); },
                            .finish = finish};
  if (session.options.given("round-seconds"))
    control.shortest_round_s = control.longest_round_s = session.options.in_range("round-seconds", 0.0, 1e6);
  const probe::RunResult result = probe::run(session.world, model, job, store, control);
  session.provenance.set_rank_seconds(to_json(result));
  if (result.complete) return;
  const auto done = std::count(store.done().begin(), store.done().end(), 1);
  store.suspend();
  throw Interrupted(fmt::format("stopped as asked, with {} of {} tiles done; --resume goes on from there",
                                done, store.tile_count()));
}

}  // namespace regulus::app

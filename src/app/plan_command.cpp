#include <algorithm>
#include <cmath>
#include <set>

#include "commands.h"
#include "infer_setup.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/probe/feature_columns.h"
#include "regulus/probe/model_broadcast.h"
#include "regulus/probe/tile_trial.h"
#include "regulus/probe/tile_work.h"
#include "regulus/storage/text_file.h"
#include "resources.h"
#include "tile_run.h"

namespace regulus::app {

namespace {

void declare(po::options_description& options) {
  declare_probe_options(options);
  declare_feature_options(options);
  declare_edge_options(options);
  auto add = options.add_options();
  add("out", po::value<std::string>()->value_name("FILE"), "where the run would write, for the free space");
  add("ranks", po::value<std::int64_t>()->value_name("N"),
      "ranks of the run (default: those of plan itself)");
  add("rate", po::value<double>()->value_name("GFLOP/S"),
      "speed of a rank; without it a tile is tried, up to half a minute for each kind of pass");
  add("json", po::value<std::string>()->value_name("FILE"), "also write the numbers to this file");
}

/// A run, before it starts.
struct Plan {
  std::string command;  ///< probe or infer
  std::int64_t ranks = 1;
  storage::TilePlan tiles;
  probe::TileWork work;
  double gflops_per_s = 0.0;  ///< of one rank
  double start_s = 0.0, seconds = 0.0;
  Needs needs;
};

/// Of the ranks' own numbers, which differ by what else the machine does. \collective yes
double mean_over_ranks(const comm::Communicator& world, double value) {
  constexpr double kResolution = 1e6;
  const std::int64_t total = world.sum(static_cast<std::int64_t>(value * kResolution));
  return static_cast<double>(total) / kResolution / world.size();
}

/// Time to rank the scores of so many pairs. Measured; of little weight beside any real model.
double time_of_ranking(double pairs, std::int64_t ranks) {
  constexpr double kPair_s = 25e-9;
  return kPair_s * pairs / static_cast<double>(ranks);
}

/// Time of the tiles: all ranks share them, but none is shared below its parts.
double time_of_tiles(const Plan& plan, const probe::ProbeJob& job, double one_rank_s) {
  const auto parts =
      static_cast<double>(probe::parts_of_tile(job).size() * static_cast<std::size_t>(plan.tiles.count()));
  const auto ranks = static_cast<double>(plan.ranks);
  return one_rank_s * std::max(1.0 / ranks, std::ceil(parts / ranks) / parts);
}

std::string duration(double seconds) {
  if (seconds < 60.0) return fmt::format("{:.1f} s", seconds);
  const auto minutes = static_cast<std::int64_t>(std::ceil(seconds / 60.0));
  return minutes < 60 ? fmt::format("{} min", minutes)
                      : fmt::format("{} h {:02d} min", minutes / 60, minutes % 60);
}

/// Options that `plan` alone has.
const std::set<std::string>& own_options() {
  static const std::set<std::string> names{"ranks", "rate", "json", "log-level", "log-file", "progress"};
  return names;
}

std::string value_text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::string text;
  for (const auto& item : value) text += (text.empty() ? "" : ",") + value_text(item);
  return text;
}

/// The options of the run as they were given to `plan`.
std::string arguments(const Options& options) {
  std::string text;
  const nlohmann::json all = options.to_json();
  for (const auto& [name, value] : all.items()) {
    if (!options.given(name) || own_options().contains(name)) continue;
    text += " --" + name;
    if (!value.is_boolean()) text += " " + value_text(value);
  }
  return text;
}

/// For the batch scripts of slurm/, which add what a job needs to be resumed.
std::string submit_line(const Plan& plan, const Session& session) {
  constexpr double kMargin = 1.25;
  constexpr double kMebi = 1024.0 * 1024.0;
  const auto minutes =
      static_cast<std::int64_t>(std::ceil(kMargin * (plan.start_s + plan.seconds) / 60.0)) + 5;
  const auto mebibytes =
      static_cast<std::int64_t>(std::ceil(kMargin * plan.needs.memory / kMebi / session.threads));
  return fmt::format("slurm/submit.sh {} --ntasks={} --cpus-per-task={} --mem-per-cpu={}M --time={} --{}{}",
                     plan.command, plan.ranks, session.threads, mebibytes, minutes,
                     arguments(session.options), session.options.given("out") ? "" : " --out FILE");
}

void print(const Plan& plan, const Session& session, double memory_available) {
  const auto line = [](const char* name, const std::string& value) {
    fmt::print("{:<22} {}\n", name, value);
  };
  line("command", plan.command);
  line("pairs", fmt::format("{} sources x {} targets", plan.tiles.sources, plan.tiles.targets));
  line("tiles", fmt::format("{} of up to {} sources x {} targets", plan.tiles.count(),
                            plan.tiles.block(0).source_count, plan.tiles.block(0).target_count));
  line("passes", fmt::format("{:.4g} dual, {:.4g} forward, {:.4g} tangent, {:.4g} primal", plan.work.dual,
                             plan.work.forward, plan.work.tangent, plan.work.primal));
  line("work", fmt::format("{:.4g} TFLOP", 1e-12 * plan.work.flops));
  line("rate", fmt::format("{:.4g} GFLOP/s a rank{}", plan.gflops_per_s,
                           session.options.given("rate") ? ", as given" : ", tried"));
  line("time", fmt::format("{} on {} ranks x {} threads, and {} to start", duration(plan.seconds), plan.ranks,
                           session.threads, duration(plan.start_s)));
  line("memory", fmt::format("{} a rank, {} of it workspace of the passes; {} are available here",
                             bytes_text(plan.needs.memory), bytes_text(plan.needs.workspace),
                             bytes_text(memory_available)));
  line("output",
       bytes_text(plan.needs.output) +
           (plan.needs.working > 0.0 ? ", and " + bytes_text(plan.needs.working) + " while it runs" : ""));
  fmt::print("\n{}\n", submit_line(plan, session));
}

nlohmann::json to_json(const Plan& plan) {
  return {{"command", plan.command},
          {"ranks", plan.ranks},
          {"sources", plan.tiles.sources},
          {"targets", plan.tiles.targets},
          {"tiles", plan.tiles.count()},
          {"passes", plan.work.passes()},
          {"flops", plan.work.flops},
          {"gflops_per_s", plan.gflops_per_s},
          {"start_s", plan.start_s},
          {"seconds", plan.seconds},
          {"memory_per_rank", plan.needs.memory},
          {"workspace", plan.needs.workspace},
          {"output_bytes", plan.needs.output},
          {"working_bytes", plan.needs.working}};
}

using Finish = std::function<probe::StoredTile(probe::StoredTile)>;

/// Time and workspace, tried or from --rate. \collective yes
void measure(const Session& session, const backbone::Backbone& model, const probe::ProbeJob& job,
             const Finish& finish, Plan& plan) {
  if (session.options.given("rate")) {
    if (!model.pass_shape())
      throw OptionError("the work of a scripted module is not known", "--rate",
                        "leave it out: a tile is tried");
    plan.gflops_per_s = session.options.in_range("rate", 1e-6, 1e9);
    plan.seconds = time_of_tiles(plan, job, 1e-9 * plan.work.flops / plan.gflops_per_s);
    plan.needs = needs_of_run(session, model, job, 0.0);
    return;
  }
  log::info("trying a tile");
  const probe::TileTrial trial =
      comm::agree(session.world, "trying a tile", [&] { return probe::try_tile(model, job, finish); });
  plan.gflops_per_s = mean_over_ranks(session.world, trial.gflops_per_s);
  plan.seconds = time_of_tiles(plan, job, mean_over_ranks(session.world, trial.job_s));
  const auto workspace = static_cast<double>(trial.workspace_bytes);
  plan.needs = needs_of_tiles(job, peak_memory() - workspace, workspace);
}

void run(Session& session) {
  const Options& options = session.options;
  std::optional<translator::Translator> translator;
  if (options.given("translator")) translator = load_translator(session);
  const auto model =
      probe::open_backbone(session.world, options.get<std::string>("model"), transformer_options(session));
  const probe::ProbeJob job =
      describe_probe(session, *model, translator ? features_of(*translator) : chosen_features(options), "");
  Plan plan;
  plan.command = translator ? "infer" : "probe";
  plan.ranks = options.given("ranks") ? options.in_range<std::int64_t>("ranks", 1) : session.world.size();
  plan.tiles = job.plan();
  plan.work = probe::work_of_job(job, model->pass_shape());
  plan.start_s = seconds_since_start();
  storage::FeatureStoreHeader store = store_header(session, *model, job, nlohmann::json::object());
  Finish finish = [](probe::StoredTile tile) { return tile; };
  if (translator) {
    const translator::ScoreOptions scores = score_options(options, *translator);
    store.probes = score_columns(scores);
    store.tile_columns = score_counts(scores);
    const auto translate = std::make_shared<translator::TileTranslator>(*translator, scores, job.sources);
    finish = [translate, block = job.plan().block(0)](probe::StoredTile tile) {
      return (*translate)(std::move(tile), block);
    };
  } else {
    store.probes = probe::feature_columns(job, model->embedding_width());
  }
  measure(session, *model, job, finish, plan);
  plan.needs.output = translator ? edge_store_bytes(edge_header(options, job)) : store_bytes(store);
  plan.needs.working = translator ? store_bytes(store) : 0.0;
  if (translator)
    plan.seconds += time_of_ranking(
        static_cast<double>(plan.tiles.sources) * static_cast<double>(plan.tiles.targets), plan.ranks);
  const double available = memory_per_rank(session.world);
  comm::agree_on_root(session.world, "printing the plan", [&] {
    print(plan, session, available);
    if (options.given("json"))
      storage::write_text_atomically(options.get<std::string>("json"), to_json(plan).dump(2) + "\n");
  });
  require_room(session.world, plan.needs, options.given("out") ? options.get<std::string>("out") : "output");
}

}  // namespace

Command plan_command() {
  return {.name = "plan",
          .summary = "what 'probe', or 'infer' with --translator, would cost: work, time, memory, disk",
          .declare = declare,
          .run = run,
          .accelerated = true};
}

}  // namespace regulus::app

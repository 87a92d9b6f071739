#include "scenario.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "regulus/core/error.h"
#include "regulus/probe/tile_features.h"
#include "regulus/probe/tile_panel.h"
#include "regulus/probe/tile_work.h"
#include "regulus/probe/work_list.h"

namespace regulus::scheduler {

namespace {

/// Rows of which only the number is known.
class CountedRows final : public probe::ValueRows {
 public:
  explicit CountedRows(std::int64_t count) : count_(count) {}
  std::int64_t count() const override { return count_; }
  std::vector<float> read(std::int64_t, std::int64_t) const override {
    throw Error(ErrorKind::Internal, "these rows have no values", "scheduler simulation");
  }

 private:
  std::int64_t count_;
};

double number(const nlohmann::json& json, const std::string& name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number()) throw InputError("is not given, or no number", name);
  return found->get<double>();
}

double number_or(const nlohmann::json& json, const std::string& name, double otherwise) {
  return json.contains(name) ? number(json, name) : otherwise;
}

std::int64_t count(const nlohmann::json& json, const std::string& name, std::int64_t otherwise) {
  return static_cast<std::int64_t>(number_or(json, name, static_cast<double>(otherwise)));
}

Machine machine_from(const nlohmann::json& json) {
  Machine m;
  m.flops_per_s = 1e9 * number(json, "gflops_per_s");
  for (const auto& [name, value] : {std::pair{"unit_spread", &m.unit_spread},
                                    {"rank_spread", &m.rank_spread},
                                    {"finish_s", &m.finish_s},
                                    {"take_latency_s", &m.take_latency_s},
                                    {"take_service_s", &m.take_service_s},
                                    {"message_s", &m.message_s},
                                    {"byte_s", &m.byte_s},
                                    {"sum_byte_s", &m.sum_byte_s},
                                    {"collective_s", &m.collective_s},
                                    {"level_s", &m.level_s},
                                    {"holding_s", &m.holding_s},
                                    {"tile_write_s", &m.tile_write_s},
                                    {"file_byte_s", &m.file_byte_s}})
    *value = number_or(json, name, 0.0);
  return m;
}

probe::ProbeJob job_from(const nlohmann::json& json) {
  probe::ProbeJob job;
  job.genes.resize(static_cast<std::size_t>(number(json, "targets")));
  job.sources.resize(static_cast<std::size_t>(number(json, "sources")));
  std::iota(job.sources.begin(), job.sources.end(), 0);
  const std::int64_t grid = count(json, "grid", 0);
  const std::int64_t cells = count(json, "cells", 0);
  job.vvp = job.gdt = grid > 0;
  job.osg = cells > 0;
  for (std::int64_t k = 0; k < grid; ++k) job.perturbation_grid.push_back(static_cast<double>(k));
  job.gradient_grid = job.perturbation_grid;
  const std::int64_t backgrounds = count(json, "backgrounds", 0);
  job.reference_is_background = backgrounds == 1;
  job.backgrounds = std::make_shared<CountedRows>(backgrounds);
  job.cells = std::make_shared<CountedRows>(cells);
  job.sources_per_tile = count(json, "sources_per_tile", job.sources_per_tile);
  const std::int64_t context = count(json, "context", 1200);
  if (job.gene_count() > context)
    job.targets_per_tile = probe::targets_within(job.gene_count(), job.sources_per_tile, context);
  return job;
}

double model_bytes(const backbone::PassShape& m, std::int64_t genes) {
  const auto d = static_cast<double>(m.width);
  const double layer = 4.0 * d * d + 2.0 * d * static_cast<double>(m.hidden);
  return sizeof(float) * (static_cast<double>(m.layers) * layer + static_cast<double>(genes) * d);
}

/// Operations of one part of a unit, by the tile's place in the plan and the part: there are few different
/// ones among very many.
class PartFlops {
 public:
  explicit PartFlops(const Scenario& scenario) : scenario_(scenario) {}

  double operator()(std::int64_t tile, const probe::TilePart& part) {
    const storage::TileBlock block = scenario_.job.plan().block(tile);
    const std::int64_t inside =
        std::clamp(block.target_begin + block.target_count - block.source_begin, std::int64_t{0},
                   block.source_count) -
        std::clamp(block.target_begin - block.source_begin, std::int64_t{0}, block.source_count);
    const Key key{block.source_count,
                  block.target_count,
                  inside,
                  static_cast<std::int64_t>(part.kind),
                  part.source_begin,
                  part.source_count(block.source_count)};
    const auto found = per_row_.find(key);
    const double rows = static_cast<double>(part.end - part.begin);
    if (found != per_row_.end()) return rows * found->second;
    probe::TilePart one = part;
    one.end = one.begin + 1;
    return rows * (per_row_[key] = probe::work_of_part(scenario_.job, scenario_.model, block, one).flops);
  }

 private:
  using Key = std::array<std::int64_t, 6>;
  const Scenario& scenario_;
  std::map<Key, double> per_row_;
};

/// What the job takes however many ranks it has.
double necessary_flops(const Scenario& scenario) {
  return probe::work_of_job(scenario.job, scenario.model).flops;
}

nlohmann::json shares(const Losses& losses, double all) {
  return {{"counter", losses.counter / all},
          {"idle", losses.idle / all},
          {"exchange", losses.exchange / all},
          {"write", losses.write / all}};
}

}  // namespace

Scenario scenario_from(const nlohmann::json& json) {
  const auto& model = json.at("model");
  Scenario scenario;
  scenario.name = json.value("name", "");
  scenario.job = job_from(json);
  scenario.model = {.width = static_cast<std::int64_t>(number(model, "width")),
                    .hidden = static_cast<std::int64_t>(number(model, "hidden")),
                    .heads = count(model, "heads", 1),
                    .layers = static_cast<std::int64_t>(number(model, "layers"))};
  scenario.machine = machine_from(json);
  scenario.rounds = probe::RoundRule(number_or(json, "shortest_round_s", probe::RoundRule::kShortest_s),
                                     number_or(json, "longest_round_s", probe::RoundRule::kLongest_s));
  scenario.stored_width = number_or(json, "stored_width", 1.0);
  scenario.job.sources_per_part = probe::sources_of_part(scenario.job, scenario.model);
  scenario.start_s = number_or(json, "start_s", 0.0);
  scenario.model_bytes =
      number_or(json, "model_bytes", model_bytes(scenario.model, scenario.job.gene_count()));
  scenario.end_pair_s = number_or(json, "end_pair_s", 0.0);
  return scenario;
}

Scenario with_sources(Scenario scenario, std::int64_t sources) {
  scenario.job.sources.resize(static_cast<std::size_t>(sources));
  return scenario;
}

Work work_of(const Scenario& scenario, int ranks) {
  const storage::TilePlan plan = scenario.job.plan();
  std::vector<std::int64_t> tiles(static_cast<std::size_t>(plan.count()));
  std::iota(tiles.begin(), tiles.end(), 0);
  const probe::WorkList list(scenario.job, scenario.model, tiles, ranks);
  PartFlops flops(scenario);
  Work work;
  work.parts_per_tile = static_cast<std::int64_t>(probe::parts_of_tile(scenario.job).size());
  work.sum_bytes = static_cast<double>(probe::TileFeatures::bytes(scenario.job, plan.block(0)));
  work.stored_bytes = sizeof(float) * scenario.stored_width * static_cast<double>(plan.block(0).pairs());
  for (std::int64_t number = 0; number < list.size(); ++number) {
    const probe::WorkUnit unit = list.unit(number);
    Work::Unit simulated{unit.tile, static_cast<std::int64_t>(unit.last_part - unit.first_part), 0.0};
    for (const probe::TilePart& part : list.parts_of(unit)) simulated.flops += flops(unit.tile, part);
    work.units.push_back(simulated);
  }
  return work;
}

nlohmann::json predict(const Scenario& scenario, int ranks, std::uint64_t seed) {
  const Work work = work_of(scenario, ranks);
  const Outcome outcome = simulate(work, scenario.machine, scenario.rounds, ranks, seed);
  const double necessary_s = necessary_flops(scenario) / scenario.machine.flops_per_s;
  const double all = outcome.wall_s * ranks;
  const storage::TilePlan plan = scenario.job.plan();
  // A broadcast of many bytes scatters them and gathers them again.
  const double start = scenario.start_s + 2.0 * scenario.machine.byte_s * scenario.model_bytes;
  const double end = scenario.end_pair_s * static_cast<double>(plan.sources) *
                     static_cast<double>(plan.targets) / static_cast<double>(ranks);
  return {{"name", scenario.name},
          {"ranks", ranks},
          {"sources", plan.sources},
          {"tiles", plan.count()},
          {"units", work.units.size()},
          {"rounds", outcome.rounds},
          {"gathered_tiles", outcome.gathered_tiles},
          {"wall_s", outcome.wall_s},
          {"start_s", start},
          {"end_s", end},
          {"efficiency", necessary_s / all},
          {"whole_efficiency", (necessary_s + end * ranks) / ((outcome.wall_s + start + end) * ranks)},
          {"compute", outcome.compute_s / all},
          {"losses", shares(outcome.losses, all)}};
}

}  // namespace regulus::scheduler

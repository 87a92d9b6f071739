#include "resources.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "regulus/comm/agree.h"
#include "regulus/probe/runner.h"
#include "regulus/probe/tile_features.h"

namespace regulus::app {

namespace {

constexpr double kKibi = 1024.0;

/// The number in a file of one line; infinity if there is none ("max", no such file).
double number_in(const std::string& file) {
  std::ifstream stream(file);
  double number = 0.0;
  return stream >> number ? number : std::numeric_limits<double>::infinity();
}

double slurm_number(const char* variable) {
  const char* text = std::getenv(variable);
  const double number = text == nullptr ? 0.0 : std::atof(text);
  return number > 0.0 ? number : std::numeric_limits<double>::infinity();
}

/// What Slurm grants this job on a host, all processes together; its variables count in MiB.
double slurm_limit() {
  return kKibi * kKibi *
         std::min(slurm_number("SLURM_MEM_PER_NODE"),
                  slurm_number("SLURM_MEM_PER_CPU") * slurm_number("SLURM_CPUS_ON_NODE"));
}

/// Memory of this host that a new allocation may take.
double available_memory() {
  std::ifstream stream("/proc/meminfo");
  std::string name;
  double kibibytes = 0.0, available = std::numeric_limits<double>::infinity();
  for (std::string unit; stream >> name >> kibibytes && std::getline(stream, unit);)
    if (name == "MemAvailable:") available = kKibi * kibibytes;
  const double group = number_in("/sys/fs/cgroup/memory.max") - number_in("/sys/fs/cgroup/memory.current");
  return group > 0.0 ? std::min(available, group) : available;  // not a number without the group's limit
}

/// Memory of this process that is in use now.
double resident_memory() {
  constexpr double kPage = 4096.0;
  std::ifstream stream("/proc/self/statm");
  double total = 0.0, resident = 0.0;
  return stream >> total >> resident ? resident * kPage : 0.0;
}

/// The longest panel of the job, as the model sees it.
backbone::PassShape longest_pass(const backbone::Backbone& model, const probe::ProbeJob& job) {
  backbone::PassShape shape = model.pass_shape().value_or(backbone::PassShape{});
  const storage::TileBlock block = job.plan().block(0);
  shape.length = std::min(job.gene_count(), block.source_count + block.target_count) + (job.cls_id ? 1 : 0);
  shape.targets = block.target_count;
  return shape;
}

}  // namespace

double seconds_since_start() {
  // The 22nd field of stat, the 20th after the name in brackets, counts from the start of the machine.
  std::ifstream stream("/proc/self/stat");
  stream.ignore(std::numeric_limits<std::streamsize>::max(), ')');
  std::string field;
  for (int skipped = 0; skipped < 19; ++skipped) stream >> field;
  double ticks = 0.0;
  stream >> ticks;
  return number_in("/proc/uptime") - ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return kKibi * static_cast<double>(usage.ru_maxrss);
}

Needs needs_of_tiles(const probe::ProbeJob& job, double base, double workspace) {
  const storage::TilePlan plan = job.plan();
  const auto tile = static_cast<double>(probe::TileFeatures::bytes(job, plan.block(0)));
  constexpr auto kHeld = static_cast<double>(probe::kHeldBytes);
  const double held = std::min(kHeld + tile, tile * static_cast<double>(plan.count()));
  constexpr double kTransfer = sizeof(float) * storage::FeatureStoreWriter::kTransferValues;
  Needs needs;
  needs.workspace = workspace;
  needs.memory = base + workspace + held + std::min(held, kTransfer);
  return needs;
}

double store_bytes(const storage::FeatureStoreHeader& header) {
  const storage::TilePlan plan = header.plan();
  auto pairs = static_cast<double>(plan.sources) * static_cast<double>(plan.targets);
  if (plan.target_blocks() > 1)  // the last tiles take the room of whole ones
    pairs = static_cast<double>(plan.count()) * static_cast<double>(plan.block(0).pairs());
  double bytes = 0.0;
  for (const auto& probe : header.probes) bytes += sizeof(float) * pairs * static_cast<double>(probe.width);
  const auto tiles = static_cast<double>(plan.count());
  for (const auto& column : header.tile_columns)
    bytes += sizeof(std::int64_t) * tiles * static_cast<double>(column.width);
  return bytes;
}

double edge_store_bytes(const storage::EdgeStoreHeader& header) {
  const auto sources = static_cast<double>(header.sources.size());
  const double columns = 2.0 + (header.spread ? 1.0 : 0.0) + (header.false_discovery ? 1.0 : 0.0);
  const double edges = sources * static_cast<double>(header.edges_per_source) * columns * sizeof(float);
  const double pairs = sources * static_cast<double>(header.targets.size());
  switch (header.matrix) {
    case storage::ScoreMatrix::None:
      return edges;
    case storage::ScoreMatrix::Float16:
      return edges + 2.0 * pairs;
    case storage::ScoreMatrix::Float32:
      return edges + 4.0 * pairs;
  }
  return edges;
}

Needs needs_of_run(const Session& session, const backbone::Backbone& model, const probe::ProbeJob& job,
                   double output) {
  Needs needs = needs_of_tiles(job, resident_memory(),
                               backbone::engine_workspace_bytes(longest_pass(model, job), session.threads));
  needs.output = output;
  return needs;
}

double memory_per_rank(const comm::Communicator& world) {
  const comm::Communicator host = world.split_by_host();
  // Ranks of a host read nearly the same numbers: the first rank's count.
  const double memory =
      std::min(available_memory() / host.size() + resident_memory(), slurm_limit() / host.size());
  auto mebibytes = static_cast<std::int64_t>(memory / kKibi / kKibi);
  host.broadcast_value(mebibytes);
  return kKibi * kKibi * -static_cast<double>(world.max(-mebibytes));
}

void require_room(const comm::Communicator& world, const Needs& needs, const std::filesystem::path& out) {
  const double memory = memory_per_rank(world);
  comm::agree(world, "estimating the memory", [&] {
    if (needs.memory > memory)
      throw OptionError(fmt::format("the run needs {} of memory a rank, and {} are available",
                                    bytes_text(needs.memory), bytes_text(memory)),
                        "memory", "use fewer ranks a host, or smaller --sources-per-tile or --context");
  });
  comm::agree_on_root(world, "estimating the disk space", [&] {
    const std::filesystem::path folder = out.has_parent_path() ? out.parent_path() : ".";
    std::error_code unknown;
    double wanted = needs.output + needs.working;
    for (const std::string& file : {out.string(), out.string() + ".tiles"})  // of the run that is resumed
      if (const auto there = std::filesystem::file_size(file, unknown); !unknown)
        wanted -= static_cast<double>(there);
    const auto space = std::filesystem::space(folder, unknown);
    if (!unknown && wanted > static_cast<double>(space.available))
      throw StorageError(fmt::format("the run writes {}, and {} are free", bytes_text(wanted),
                                     bytes_text(static_cast<double>(space.available))),
                         folder.string(), "make room, choose another folder for --out, or keep less");
  });
}

std::string bytes_text(double bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  std::size_t unit = 0;
  for (; bytes >= kKibi && unit + 1 < kUnits.size(); ++unit) bytes /= kKibi;
  return fmt::format("{:.{}f} {}", bytes, bytes < 10.0 && unit > 0 ? 1 : 0, kUnits[unit]);
}

}  // namespace regulus::app

#include "feature_store_structure.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace regulus::storage {

namespace {

[[noreturn]] void misuse(const std::string& message) {
  throw Error(ErrorKind::Internal, message, "feature store");
}

template <typename Columns>
void check_columns(const std::vector<Columns>& columns, const char* what, std::set<std::string> taken) {
  for (const auto& column : columns) {
    const std::string name = std::string(what) + " '" + column.name + "'";
    if (column.name.empty() || column.name.find('/') != std::string::npos || column.width < 1)
      misuse("the " + name + " has no usable name or no columns");
    if (!taken.insert(column.name).second) misuse("the " + name + " is there twice");
  }
}

void check_grids(const std::map<std::string, std::vector<double>>& grids) {
  for (const auto& [name, values] : grids)
    for (const double value : values)
      if (!std::isfinite(value)) misuse("the grid '" + name + "' has a value that is not finite");
}

void write_attributes(H5File& file, const FeatureStoreHeader& header) {
  // `complete` first: it changes last of all, and stands where that is one small write.
  file.write_attribute_int("/", "complete", 0);
  file.write_attribute_string("/", "format", layout::format_of(header.kind));
  file.write_attribute_int("/", "version", layout::kVersion);
  file.write_attribute_string("/", "job", header.job_json);
  file.write_attribute_string("/", "checkpoint_sha256", header.checkpoint_sha256);
  file.write_attribute_string("/", "grids", nlohmann::json(header.grids).dump());
  file.write_attribute_string("/", "background", header.background);
  file.write_attribute_string("/", "provenance", header.provenance_json);
}

void write_tiles(H5File& file, const FeatureStoreHeader& header) {
  std::vector<std::int64_t> plan;
  const std::int64_t tiles = header.plan().count();
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const TileBlock block = header.plan().block(tile);
    plan.insert(plan.end(), {block.source_begin, block.source_count, block.target_begin, block.target_count});
  }
  file.write(layout::kTilePlan, plan, {tiles, 4});
  file.write(layout::kTilesDone, std::vector<std::uint8_t>(static_cast<std::size_t>(tiles), 0));
  for (const auto& column : header.tile_columns) {
    const std::string path = layout::column_of(column.name);
    const std::vector<std::int64_t> zeros(static_cast<std::size_t>(tiles * column.width), 0);
    file.write(path, zeros, {tiles, column.width});
    file.write_attribute_string(path, "description", column.description);
  }
}

/// Of the shape of a tile, so that a tile lies in one piece; nothing where its rows do anyway.
std::vector<std::int64_t> chunk_of_tiles(const FeatureStoreHeader& header, std::int64_t width) {
  const std::int64_t sources = std::min(header.sources_per_tile, source_count(header));
  const std::int64_t targets = header.targets_per_tile;
  if (targets == 0 || targets >= target_count(header)) return {};
  const std::int64_t most_rows = FeatureStoreWriter::kTransferValues / (targets * width);
  return {std::clamp<std::int64_t>(most_rows, 1, sources), targets, width};
}

/// Rows of targets, a few if they are short: readers take the features by source, and a chunk is unpacked as
/// a whole.
std::vector<std::int64_t> chunk_of_rows(const FeatureStoreHeader& header, std::int64_t width) {
  constexpr std::int64_t kFewest = std::int64_t{1} << 14U;  // values
  constexpr std::int64_t kMost = std::int64_t{1} << 18U;
  const std::int64_t row = target_count(header) * width;
  return {std::clamp<std::int64_t>(kFewest / row, 1, source_count(header)),
          std::clamp<std::int64_t>(kMost / width, 1, target_count(header)), width};
}

void create_features(H5File& file, const FeatureStoreHeader& header, int compression) {
  for (const auto& probe : header.probes) {
    const std::string data_set = layout::features_of(probe.name);
    const auto chunk =
        compression == 0 ? chunk_of_tiles(header, probe.width) : chunk_of_rows(header, probe.width);
    file.create_data_set<float>(data_set, {source_count(header), target_count(header), probe.width},
                                {.chunk = chunk, .compression = compression});
    file.write_attribute_string(data_set, "description", probe.description);
  }
}

[[noreturn]] void damaged(const std::string& where, const std::string& message, StoreKind kind) {
  throw InputError(message, where,
                   std::string("the ") + layout::name_of(kind) + " is damaged: run " +
                       layout::command_of(kind) + " again");
}

std::map<std::string, std::vector<double>> read_grids(const H5File& file, StoreKind kind) {
  try {
    return nlohmann::json::parse(file.read_attribute_string("/", "grids"))
        .get<std::map<std::string, std::vector<double>>>();
  } catch (const nlohmann::json::exception&) {
    damaged(file.name(), "its grids are not readable", kind);
  }
}

std::vector<ProbeColumns> read_probes(const H5File& file, const FeatureStoreHeader& header) {
  std::vector<ProbeColumns> probes;
  for (const auto& name : file.children(layout::kFeatures)) {
    const std::string data_set = layout::features_of(name);
    const auto shape = file.shape(data_set);
    if (shape.size() != 3 || shape[0] != source_count(header) || shape[1] != target_count(header))
      damaged(file.name() + ":" + data_set, "its shape does not fit the genes", header.kind);
    probes.push_back({name, shape[2], file.read_attribute_string(data_set, "description")});
  }
  if (probes.empty()) damaged(file.name(), "it has no features", header.kind);
  return probes;
}

std::vector<TileColumns> read_tile_columns(const H5File& file, const FeatureStoreHeader& header) {
  std::vector<TileColumns> columns;
  for (const auto& name : file.children(layout::kTiles)) {
    const std::string path = layout::column_of(name);
    if (path == layout::kTilePlan || path == layout::kTilesDone) continue;
    const auto shape = file.shape(path);
    if (shape.size() != 2 || shape[0] != header.plan().count())
      damaged(file.name() + ":" + path, "its shape does not fit the tiles", header.kind);
    columns.push_back({name, shape[1], file.read_attribute_string(path, "description")});
  }
  return columns;
}

/// The tile sizes, from the first tile of the plan: blocks are shorter only at the end.
void read_tile_sizes(const H5File& file, FeatureStoreHeader& header) {
  const auto shape = file.shape(layout::kTilePlan);
  const bool of_version_1 = shape.size() == 2 && shape[1] == 2;
  if (shape.size() != 2 || shape[0] < 1 || (shape[1] != 4 && !of_version_1))
    damaged(file.name(), "its tile plan is not readable", header.kind);
  const auto first = file.read_block<std::int64_t>(layout::kTilePlan, {{0, 0}, {1, shape[1]}});
  const std::int64_t sources = first[1];
  const std::int64_t targets = of_version_1 ? target_count(header) : first[3];
  if (sources < 1 || sources > source_count(header) || targets < 1 || targets > target_count(header))
    damaged(file.name(), "its tile plan does not fit the genes", header.kind);
  header.sources_per_tile = sources;
  header.targets_per_tile = targets == target_count(header) ? 0 : targets;
  if (shape[0] != header.plan().count())
    damaged(file.name(), "its tile plan does not fit the genes", header.kind);
}

FeatureStoreHeader read_header(const H5File& file, StoreKind kind) {
  FeatureStoreHeader header;
  header.kind = kind;
  header.sources = file.read_strings(layout::kSources);
  header.targets = file.read_strings(layout::kTargets);
  header.probes = read_probes(file, header);
  header.grids = read_grids(file, kind);
  header.background = file.read_attribute_string("/", "background");
  header.checkpoint_sha256 = file.read_attribute_string("/", "checkpoint_sha256");
  if (file.has_attribute("/", "job")) header.job_json = file.read_attribute_string("/", "job");
  read_tile_sizes(file, header);
  header.tile_columns = read_tile_columns(file, header);
  return header;
}

}  // namespace

std::int64_t source_count(const FeatureStoreHeader& header) {
  return static_cast<std::int64_t>(header.sources.size());
}

std::int64_t target_count(const FeatureStoreHeader& header) {
  return static_cast<std::int64_t>(header.targets.size());
}

void check_header(const FeatureStoreHeader& header) {
  if (header.sources.empty() || header.targets.empty() || header.probes.empty() ||
      header.sources_per_tile < 1 || header.targets_per_tile < 0)
    misuse("a store needs sources, targets, probes and a tile size");
  check_columns(header.probes, "probe", {});
  check_columns(header.tile_columns, "tile column", {"plan", "done"});
  check_grids(header.grids);
  if (!nlohmann::json::parse(header.job_json, nullptr, false).is_object())
    misuse("the job is not a JSON object");
}

void write_structure(H5File& file, const FeatureStoreHeader& header, int compression) {
  write_attributes(file, header);
  file.write_strings(layout::kSources, header.sources);
  file.write_strings(layout::kTargets, header.targets);
  write_tiles(file, header);
  create_features(file, header, compression);
}

void check_format(const H5File& file, StoreKind kind) {
  if (!file.has_attribute("/", "format") ||
      file.read_attribute_string("/", "format") != layout::format_of(kind))
    throw InputError(std::string("is not a ") + layout::name_of(kind), file.name(),
                     std::string("expected the output of ") + layout::command_of(kind));
  const std::int64_t version = file.read_attribute_int("/", "version");
  if (version < 1 || version > layout::kVersion)
    throw InputError(
        std::string("is a ") + layout::name_of(kind) + " of version " + std::to_string(version) +
            "; this program reads versions 1 to " + std::to_string(layout::kVersion),
        file.name(),
        std::string("use the program that wrote it, or run ") + layout::command_of(kind) + " again");
}

std::vector<std::uint8_t> read_done(const H5File& file) {
  return file.read<std::uint8_t>(layout::kTilesDone);
}

FeatureStoreSummary summarise(const H5File& file, StoreKind kind) {
  check_format(file, kind);
  FeatureStoreSummary summary;
  summary.header = read_header(file, kind);
  const auto done = read_done(file);
  summary.tiles = summary.header.plan().count();
  summary.tiles_done = std::count(done.begin(), done.end(), 1);
  summary.complete = file.read_attribute_int("/", "complete") == 1;
  if (static_cast<std::int64_t>(done.size()) != summary.tiles)
    damaged(file.name(), "its tile plan does not fit the genes", kind);
  return summary;
}

std::string read_provenance(const H5File& file) {
  return file.read_attribute_string("/", "provenance");
}

std::string read_job(const H5File& file) {
  if (!file.has_attribute("/", "job"))
    throw InputError("does not say which job wrote it: it is of format version 1", file.name(),
                     "start anew: move it away or replace it");
  return file.read_attribute_string("/", "job");
}

}  // namespace regulus::storage

#include <algorithm>
#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>
#include <set>

#include "feature_store_layout.h"
#include "regulus/comm/agree.h"
#include "regulus/storage/feature_store.h"

namespace regulus::storage {

namespace {

[[noreturn]] void misuse(const std::string& message) {
  throw Error(ErrorKind::Internal, message, "feature store");
}

void check_probes(const std::vector<ProbeColumns>& probes) {
  std::set<std::string> names;
  for (const auto& probe : probes) {
    if (probe.name.empty() || probe.name.find('/') != std::string::npos || probe.width < 1)
      misuse("the probe '" + probe.name + "' has no usable name or no columns");
    if (!names.insert(probe.name).second) misuse("the probe '" + probe.name + "' is there twice");
  }
}

void check_header(const FeatureStoreHeader& header) {
  if (header.sources.empty() || header.targets.empty() || header.probes.empty() ||
      header.sources_per_tile < 1)
    misuse("a store needs sources, targets, probes and a tile size");
  check_probes(header.probes);
  for (const auto& [name, values] : header.grids)
    for (const double value : values)
      if (!std::isfinite(value)) misuse("the grid '" + name + "' has a value that is not finite");
}

std::vector<std::int64_t> shape_of(const FeatureStoreHeader& header, const ProbeColumns& probe) {
  return {static_cast<std::int64_t>(header.sources.size()), static_cast<std::int64_t>(header.targets.size()),
          probe.width};
}

void write_attributes(H5File& file, const FeatureStoreHeader& header) {
  file.write_attribute_string("/", "format", layout::kFormat);
  file.write_attribute_int("/", "version", layout::kVersion);
  file.write_attribute_string("/", "provenance", header.provenance_json);
  file.write_attribute_string("/", "checkpoint_sha256", header.checkpoint_sha256);
  file.write_attribute_string("/", "grids", nlohmann::json(header.grids).dump());
  file.write_attribute_string("/", "background", header.background);
  file.write_attribute_int("/", "complete", 0);
}

void write_tile_plan(H5File& file, const FeatureStoreHeader& header) {
  std::vector<std::int64_t> plan;
  const std::int64_t tiles = tile_count(header);
  for (std::int64_t tile = 0; tile < tiles; ++tile) {
    const TileSources sources = tile_sources(header, tile);
    plan.insert(plan.end(), {sources.begin, sources.count});
  }
  file.write(layout::kTilePlan, plan, {tiles, 2});
  file.write(layout::kTilesDone, std::vector<std::uint8_t>(static_cast<std::size_t>(tiles), 0));
}

/// Everything but the features, whose space is reserved: after this the structure of the file does not change
/// any more.
void create_store(const std::filesystem::path& path, const FeatureStoreHeader& header) {
  H5File file = H5File::create(path);
  write_attributes(file, header);
  file.write_strings(layout::kSources, header.sources);
  file.write_strings(layout::kTargets, header.targets);
  write_tile_plan(file, header);
  for (const auto& probe : header.probes) {
    const std::string data_set = layout::features_of(probe.name);
    file.create_data_set<float>(data_set, shape_of(header, probe));
    file.write_attribute_string(data_set, "description", probe.description);
  }
  file.close();
}

H5File create_and_open(const comm::Communicator& comm, const std::filesystem::path& path,
                       const FeatureStoreHeader& header) {
  comm::agree(comm, "creating the feature store", [&] { check_header(header); });
  comm::agree_on_root(comm, "creating the feature store", [&] { create_store(path, header); });
  H5File file = H5File::open_parallel(path, comm);
  // Every rank has the structure in memory before the first transfer: no rank can fail to reach one.
  comm::agree(comm, "opening the feature store", [&] {
    for (const auto& probe : header.probes) file.shape(layout::features_of(probe.name));
    file.shape(layout::kTilesDone);
  });
  return file;
}

}  // namespace

/// What one rank writes in one transfer: whole sources, or a run of targets of one source.
struct FeatureStoreWriter::Piece {
  Block block;
  std::span<const float> values;
};

FeatureStoreWriter::FeatureStoreWriter(const comm::Communicator& comm, const std::filesystem::path& path,
                                       FeatureStoreHeader header, std::int64_t transfer_values)
    : comm_(comm.duplicate()),
      path_(path),
      header_(std::move(header)),
      transfer_values_(transfer_values),
      file_(create_and_open(comm_, path_, header_)) {
  done_.assign(static_cast<std::size_t>(tile_count()), 0);
}

void FeatureStoreWriter::check(const std::vector<Tile>& tiles) const {
  for (const Tile& tile : tiles) {
    const std::string name = "tile " + std::to_string(tile.index);
    if (tile.index < 0 || tile.index >= tile_count()) misuse(name + " is not of this store");
    for (const auto& probe : header_.probes) {
      const auto features = tile.features.find(probe.name);
      const std::int64_t expected =
          sources_of(tile.index).count * static_cast<std::int64_t>(header_.targets.size()) * probe.width;
      if (features == tile.features.end() || static_cast<std::int64_t>(features->second.size()) != expected)
        misuse(name + " needs " + std::to_string(expected) + " values of '" + probe.name + "'");
    }
    if (tile.features.size() != header_.probes.size()) misuse(name + " has a probe that the store has not");
  }
}

std::vector<std::int64_t> FeatureStoreWriter::gather_indices(const std::vector<Tile>& mine) const {
  std::vector<std::int64_t> indices;
  for (const Tile& tile : mine) indices.push_back(tile.index);
  indices = comm_.all_gather(indices);
  std::vector<std::uint8_t> written = done_;
  for (const std::int64_t index : indices)
    if (std::exchange(written[static_cast<std::size_t>(index)], std::uint8_t{1}) != 0)
      misuse("tile " + std::to_string(index) + " is written twice");
  return indices;
}

std::vector<FeatureStoreWriter::Piece> FeatureStoreWriter::pieces(const ProbeColumns& probe,
                                                                  const std::vector<Tile>& tiles) const {
  const auto targets = static_cast<std::int64_t>(header_.targets.size());
  const std::int64_t row = targets * probe.width;
  const std::int64_t rows = std::max<std::int64_t>(1, transfer_values_ / row);
  const std::int64_t columns =
      row <= transfer_values_ ? targets : std::max<std::int64_t>(1, transfer_values_ / probe.width);
  std::vector<Piece> result;
  for (const Tile& tile : tiles) {
    const TileSources sources = sources_of(tile.index);
    const float* next = tile.features.at(probe.name).data();
    for (std::int64_t s = 0; s < sources.count; s += rows)
      for (std::int64_t t = 0; t < targets; t += columns) {
        const Block block{{sources.begin + s, t, 0},
                          {std::min(rows, sources.count - s), std::min(columns, targets - t), probe.width}};
        const auto count = static_cast<std::size_t>(block.count[0] * block.count[1] * block.count[2]);
        result.push_back({block, {next, count}});
        next += count;
      }
  }
  return result;
}

void FeatureStoreWriter::write_features(const ProbeColumns& probe, const std::vector<Tile>& tiles) {
  const std::vector<Piece> mine = pieces(probe, tiles);
  const std::int64_t transfers = comm_.max(static_cast<std::int64_t>(mine.size()));
  const Piece nothing{{{0, 0, 0}, {0, 0, 0}}, {}};
  std::exception_ptr failure;
  for (std::int64_t i = 0; i < transfers; ++i) {
    const auto piece = static_cast<std::size_t>(i);
    try {
      const Piece& next = piece < mine.size() ? mine[piece] : nothing;
      file_.write_block(layout::features_of(probe.name), next.block, next.values);
    } catch (...) {
      failure = std::current_exception();  // the other ranks count on this one in the transfers that are left
    }
  }
  comm::agree(comm_, "writing features", [&] {
    if (failure) std::rethrow_exception(failure);
  });
}

void FeatureStoreWriter::mark_done(const std::vector<std::int64_t>& tiles) {
  for (const std::int64_t tile : tiles) done_[static_cast<std::size_t>(tile)] = 1;
  const std::span<const std::uint8_t> marks =
      comm_.is_root() ? std::span<const std::uint8_t>(done_) : std::span<const std::uint8_t>();
  comm::agree(comm_, "marking tiles as done", [&] {
    file_.write_block(layout::kTilesDone, {{0}, {static_cast<std::int64_t>(marks.size())}}, marks);
  });
}

void FeatureStoreWriter::write_round(const std::vector<Tile>& mine) {
  comm::agree(comm_, "writing features", [&] { check(mine); });
  const std::vector<std::int64_t> tiles = gather_indices(mine);
  for (const auto& probe : header_.probes) write_features(probe, mine);
  mark_done(tiles);
}

void FeatureStoreWriter::finish(const std::string& provenance_json) {
  if (std::count(done_.begin(), done_.end(), 0) > 0) misuse("not all tiles were written");
  comm::agree(comm_, "closing the feature store", [&] { file_.close(); });
  comm::agree_on_root(comm_, "completing the feature store", [&] {
    H5File file = H5File::open_update(path_);
    file.write_attribute_string("/", "provenance", provenance_json);
    file.flush();
    file.write_attribute_int("/", "complete", 1);
    file.close();
  });
}

}  // namespace regulus::storage

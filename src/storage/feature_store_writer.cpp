#include <algorithm>
#include <array>
#include <utility>

#include "feature_store_compress.h"
#include "feature_store_resume.h"
#include "feature_store_structure.h"
#include "regulus/comm/agree.h"

namespace regulus::storage {

namespace {

[[noreturn]] void misuse(const std::string& message) {
  throw Error(ErrorKind::Internal, message, "feature store");
}

void create_store(const std::filesystem::path& path, const FeatureStoreHeader& header) {
  H5File file = H5File::create(path);
  write_structure(file, header, 0);
  file.close();
}

template <typename Columns, typename Values>
void check_values(const std::string& tile, const std::vector<Columns>& columns, std::int64_t elements,
                  const std::map<std::string, std::vector<Values>>& values) {
  for (const auto& column : columns) {
    const auto found = values.find(column.name);
    const std::int64_t expected = elements * column.width;
    if (found == values.end() || static_cast<std::int64_t>(found->second.size()) != expected)
      misuse(tile + " needs " + std::to_string(expected) + " values of '" + column.name + "'");
  }
  if (values.size() != columns.size()) misuse(tile + " has values that the store has no place for");
}

/// Sets `complete`, the one change that makes a store whole.
void complete_store(const std::filesystem::path& path, const std::string& provenance_json) {
  H5File file = H5File::open_update(path);
  file.write_attribute_string("/", "provenance", provenance_json);
  file.flush();
  file.write_attribute_int("/", "complete", 1);
  file.close();
}

}  // namespace

FeatureStoreWriter::FeatureStoreWriter(const comm::Communicator& comm, std::filesystem::path path,
                                       FeatureStoreHeader header, std::int64_t transfer_values, Opened opened)
    : comm_(comm.duplicate()),
      path_(std::move(path)),
      header_(std::move(header)),
      transfer_values_(transfer_values),
      done_(std::move(opened.done)),
      file_(std::move(opened.file)) {}

FeatureStoreWriter::Opened FeatureStoreWriter::open(const comm::Communicator& comm,
                                                    const std::filesystem::path& path,
                                                    const FeatureStoreHeader& header,
                                                    std::vector<std::uint8_t> done) {
  H5File file = H5File::open_parallel(path, comm);
  // Every rank has met the structure before the first transfer.
  comm::agree(comm, "opening the feature store", [&] {
    for (const auto& probe : header.probes) file.shape(layout::features_of(probe.name));
    for (const auto& column : header.tile_columns) file.shape(layout::column_of(column.name));
    file.shape(layout::kTilesDone);
  });
  return {std::move(file), std::move(done)};
}

FeatureStoreWriter FeatureStoreWriter::create(const comm::Communicator& comm,
                                              const std::filesystem::path& path, FeatureStoreHeader header,
                                              std::int64_t transfer_values) {
  comm::agree(comm, "creating the feature store", [&] { check_header(header); });
  comm::agree_on_root(comm, "creating the feature store", [&] { create_store(path, header); });
  const auto tiles = static_cast<std::size_t>(header.plan().count());
  Opened opened = open(comm, path, header, std::vector<std::uint8_t>(tiles, 0));
  return {comm, path, std::move(header), transfer_values, std::move(opened)};
}

FeatureStoreWriter FeatureStoreWriter::resume(const comm::Communicator& comm,
                                              const std::filesystem::path& path, FeatureStoreHeader header,
                                              std::int64_t transfer_values) {
  comm::agree(comm, "resuming the feature store", [&] { check_header(header); });
  std::vector<std::uint8_t> done;
  comm::agree_on_root(comm, "resuming the feature store", [&] { done = done_of_unfinished(path, header); });
  comm.broadcast(done);
  Opened opened = open(comm, path, header, std::move(done));
  return {comm, path, std::move(header), transfer_values, std::move(opened)};
}

void FeatureStoreWriter::check(const std::vector<Tile>& tiles) const {
  for (const Tile& tile : tiles) {
    const std::string name = "tile " + std::to_string(tile.index);
    if (tile.index < 0 || tile.index >= tile_count()) misuse(name + " is not of this store");
    const TileBlock block = block_of(tile.index);
    check_values(name, header_.probes, block.source_count * block.target_count, tile.features);
    check_values(name, header_.tile_columns, 1, tile.counts);
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

void FeatureStoreWriter::write_features(const ProbeColumns& probe, const Tile& tile) {
  const TileBlock block = block_of(tile.index);
  const std::int64_t row = block.target_count * probe.width;
  // In one transfer: some whole rows, or a part of one.
  const std::int64_t rows = std::max<std::int64_t>(1, transfer_values_ / row);
  const std::int64_t columns =
      std::clamp<std::int64_t>(transfer_values_ / probe.width, 1, block.target_count);
  const float* next = tile.features.at(probe.name).data();
  for (std::int64_t s = 0; s < block.source_count; s += rows)
    for (std::int64_t t = 0; t < block.target_count; t += columns) {
      const std::array<std::int64_t, 2> count{std::min(rows, block.source_count - s),
                                              std::min(columns, block.target_count - t)};
      const auto values = static_cast<std::size_t>(count[0] * count[1] * probe.width);
      file_.write_block<float>(
          layout::features_of(probe.name),
          {{block.source_begin + s, block.target_begin + t, 0}, {count[0], count[1], probe.width}},
          {next, values});
      next += values;
    }
}

void FeatureStoreWriter::write_tile(const Tile& tile) {
  for (const auto& probe : header_.probes) write_features(probe, tile);
  for (const auto& column : header_.tile_columns)
    file_.write_block<std::int64_t>(layout::column_of(column.name), {{tile.index, 0}, {1, column.width}},
                                    tile.counts.at(column.name));
}

void FeatureStoreWriter::mark_done(const std::vector<std::int64_t>& tiles) {
  for (const std::int64_t tile : tiles) done_[static_cast<std::size_t>(tile)] = 1;
  comm::agree_on_root(comm_, "marking tiles as done", [&] {
    file_.write_block<std::uint8_t>(layout::kTilesDone, {{0}, {tile_count()}}, done_);
  });
}

void FeatureStoreWriter::write_round(const std::vector<Tile>& mine) {
  comm::agree(comm_, "writing features", [&] { check(mine); });
  const std::vector<std::int64_t> tiles = gather_indices(mine);
  // The marks follow only after every rank's writes have returned: from then on the operating system holds
  // the bytes, whatever becomes of the processes.
  comm::agree(comm_, "writing features", [&] {
    for (const Tile& tile : mine) write_tile(tile);
  });
  mark_done(tiles);
}

void FeatureStoreWriter::suspend() {
  comm::agree(comm_, "closing the feature store", [&] { file_.close(); });
}

void FeatureStoreWriter::finish(const std::string& provenance_json, int compression) {
  if (std::count(done_.begin(), done_.end(), 0) > 0) misuse("not all tiles were written");
  if (compression < 0 || compression > 9) misuse("compression is from 0 to 9");
  suspend();
  comm::agree_on_root(comm_, "completing the feature store", [&] {
    if (compression == 0)
      complete_store(path_, provenance_json);
    else
      replace_by_compressed(path_, header_.kind, provenance_json, compression);
  });
}

}  // namespace regulus::storage

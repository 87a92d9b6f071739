#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "regulus/storage/feature_store.h"

namespace regulus::test {

/// A store of 7 sources and 3 targets in 4 tiles (2, 2, 2 and 1 sources) with two probes.
inline storage::FeatureStoreHeader small_header() {
  storage::FeatureStoreHeader header;
  header.sources = {"S0", "S1", "S2", "S3", "S4", "S5", "β6"};
  header.targets = {"S0", "T1", "T2"};
  header.probes = {{"gdt", 2, "gradient at two grid values"}, {"vvp", 4, "response at four grid values"}};
  header.grids = {{"gradient", {0.1, 1.0 / 3.0}}, {"v_b", {0.0}}};
  header.background = "cells";
  header.checkpoint_sha256 = std::string(64, 'a');
  header.provenance_json = "{\"seed\": 1}";
  header.sources_per_tile = 2;
  return header;
}

/// The same with 5 targets in blocks of 2: 12 tiles, each with three numbers, of a job.
inline storage::FeatureStoreHeader tiled_header() {
  storage::FeatureStoreHeader header = small_header();
  header.targets = {"S0", "T1", "T2", "T3", "T4"};
  header.targets_per_tile = 2;
  header.tile_columns = {{"units", 1, "units of work"}, {"kept", 2, "pairs kept and left out"}};
  header.job_json = R"({"grid": [0.1, 0.5], "seed": 1})";
  return header;
}

/// A value that tells its place.
inline float small_value(std::size_t probe, std::int64_t source, std::int64_t target, std::int64_t column) {
  return static_cast<float>(1000 * static_cast<std::int64_t>(probe) + 100 * source + 10 * target + column) +
         0.5F;
}

inline std::vector<float> small_block(const storage::FeatureStoreHeader& header, std::size_t probe,
                                      const storage::TileBlock& block) {
  std::vector<float> values;
  for (std::int64_t s = block.source_begin; s < block.source_begin + block.source_count; ++s)
    for (std::int64_t t = block.target_begin; t < block.target_begin + block.target_count; ++t)
      for (std::int64_t c = 0; c < header.probes[probe].width; ++c)
        values.push_back(small_value(probe, s, t, c));
  return values;
}

/// Of all targets. \param sources the first, and how many
inline std::vector<float> small_values(const storage::FeatureStoreHeader& header, std::size_t probe,
                                       std::array<std::int64_t, 2> sources) {
  return small_block(header, probe,
                     {sources[0], sources[1], 0, static_cast<std::int64_t>(header.targets.size())});
}

inline storage::FeatureStoreWriter::Tile small_tile(const storage::FeatureStoreHeader& header,
                                                    std::int64_t index) {
  storage::FeatureStoreWriter::Tile tile;
  tile.index = index;
  for (std::size_t p = 0; p < header.probes.size(); ++p)
    tile.features[header.probes[p].name] = small_block(header, p, header.plan().block(index));
  for (const auto& column : header.tile_columns)
    for (std::int64_t c = 0; c < column.width; ++c) tile.counts[column.name].push_back(100 * index + c);
  return tile;
}

/// Tile i by rank i mod size, of tiles [first, last).
inline void write_small_tiles(const comm::Communicator& comm, storage::FeatureStoreWriter& writer,
                              const storage::FeatureStoreHeader& header, std::int64_t first,
                              std::int64_t last) {
  std::vector<storage::FeatureStoreWriter::Tile> mine;
  for (std::int64_t tile = first; tile < last; ++tile)
    if (tile % comm.size() == comm.rank()) mine.push_back(small_tile(header, tile));
  writer.write_round(mine);
}

/// Tiles in two rounds; rounds where a rank has nothing included.
inline void write_small_store(const comm::Communicator& comm, const std::filesystem::path& path,
                              const storage::FeatureStoreHeader& header = small_header(),
                              int compression = 0) {
  auto writer = storage::FeatureStoreWriter::create(comm, path, header);
  write_small_tiles(comm, writer, header, 0, 3);
  write_small_tiles(comm, writer, header, 3, writer.tile_count());
  writer.finish("{\"seed\": 1, \"done\": true}", compression);
}

}  // namespace regulus::test

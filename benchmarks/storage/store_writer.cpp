#include "store_writer.h"

#include "regulus/comm/agree.h"
#include "regulus/storage/feature_store.h"

namespace regulus::benchmark {

namespace {

using storage::FeatureStoreHeader;
using storage::FeatureStoreWriter;

std::vector<std::string> names(const char* prefix, std::int64_t count) {
  std::vector<std::string> result;
  for (std::int64_t i = 0; i < count; ++i) result.push_back(prefix + std::to_string(i));
  return result;
}

FeatureStoreHeader header_of(const Amount& amount, const StoreShape& shape) {
  const std::int64_t bytes_per_source = 2 * shape.targets * shape.width * std::int64_t{sizeof(float)};
  const std::int64_t sources = (amount.mebibytes << 20) / bytes_per_source;
  FeatureStoreHeader header;
  header.sources =
      names("S", std::max<std::int64_t>(1, sources / shape.sources_per_tile) * shape.sources_per_tile);
  header.targets = names("T", shape.targets);
  header.probes = {{"gdt", shape.width, ""}, {"vvp", shape.width, ""}};
  header.provenance_json = "{}";
  header.sources_per_tile = shape.sources_per_tile;
  header.targets_per_tile = shape.targets_per_tile;
  return header;
}

/// The values of a tile that has all its sources and targets; smoothly varying, as responses are.
std::vector<float> values_of(const storage::TileBlock& block, std::int64_t width) {
  std::vector<float> values(static_cast<std::size_t>(block.source_count * block.target_count * width));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 1.0F / static_cast<float>(1 + i % 99991);
  return values;
}

FeatureStoreWriter::Tile tile_of(const FeatureStoreHeader& header, std::int64_t index,
                                 FeatureStoreWriter::Tile tile) {
  tile.index = index;
  const storage::TileBlock block = header.plan().block(index);
  for (const auto& probe : header.probes)
    tile.features[probe.name].resize(
        static_cast<std::size_t>(block.source_count * block.target_count * probe.width));
  return tile;
}

/// Rounds of one tile a rank. \return seconds
double write_rounds(const comm::Communicator& world, const FeatureStoreHeader& header, const Amount& amount,
                    int compression) {
  FeatureStoreWriter::Tile tile;
  for (const auto& probe : header.probes)
    tile.features[probe.name] = values_of(header.plan().block(0), probe.width);
  const std::int64_t tiles = header.plan().count();
  std::vector<FeatureStoreWriter::Tile> mine(1, tile);
  world.barrier();
  const auto start = std::chrono::steady_clock::now();
  auto writer = FeatureStoreWriter::create(world, amount.file, header);
  for (std::int64_t first = 0; first < tiles; first += world.size()) {
    if (first + world.rank() < tiles)
      mine[0] = tile_of(header, first + world.rank(), std::move(mine[0]));
    else
      mine.clear();
    writer.write_round(mine);
  }
  writer.finish("{}", compression);
  comm::agree_on_root(world, "forcing to disk", [&] { force_to_disk(amount.file); });
  return seconds_since(start);
}

double read_by_sources(const FeatureStoreHeader& header, const std::filesystem::path& file) {
  const auto start = std::chrono::steady_clock::now();
  const storage::FeatureStore store(file);
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  for (const auto& probe : header.probes)
    for (std::int64_t source = 0; source < sources; ++source) store.read_sources(probe.name, source, 1);
  return seconds_since(start);
}

}  // namespace

nlohmann::json write_store(const comm::Communicator& world, const Amount& amount, const StoreShape& shape) {
  const FeatureStoreHeader header = header_of(amount, shape);
  nlohmann::json result;
  result["bytes"] = static_cast<std::int64_t>(header.sources.size()) * shape.targets * 2 * shape.width *
                    std::int64_t{sizeof(float)};
  result["seconds"] = write_rounds(world, header, amount, shape.compression);
  comm::agree_on_root(world, "reading and removing", [&] {
    result["file_bytes"] = std::filesystem::file_size(amount.file);
    result["read_seconds"] = read_by_sources(header, amount.file);
    std::filesystem::remove(amount.file);
  });
  return result;
}

}  // namespace regulus::benchmark

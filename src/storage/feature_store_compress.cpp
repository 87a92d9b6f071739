#include "feature_store_compress.h"

#include <algorithm>

#include "feature_store_structure.h"

namespace regulus::storage {

namespace {

/// Values held at once: 128 MiB, and HDF5 needs some chunks beside them.
constexpr std::int64_t kValuesAtOnce = std::int64_t{1} << 25U;

/// Rows of sources, or parts of one, in whole chunks of the copy: none is packed twice.
void copy_features(const H5File& from, H5File& to, const FeatureStoreHeader& header,
                   const ProbeColumns& probe) {
  const std::string path = layout::features_of(probe.name);
  const auto chunk = to.chunk(path);
  const auto whole_chunks = [](std::int64_t most, std::int64_t length) {
    return std::max(most / length, std::int64_t{1}) * length;
  };
  const std::int64_t targets =
      std::min(target_count(header), whole_chunks(kValuesAtOnce / probe.width, chunk[1]));
  const std::int64_t sources = whole_chunks(kValuesAtOnce / (targets * probe.width), chunk[0]);
  for (std::int64_t s = 0; s < source_count(header); s += sources)
    for (std::int64_t t = 0; t < target_count(header); t += targets) {
      const Block block{{s, t, 0},
                        {std::min(sources, source_count(header) - s),
                         std::min(targets, target_count(header) - t), probe.width}};
      to.write_block<float>(path, block, from.read_block<float>(path, block));
    }
}

void copy_tile_columns(const H5File& from, H5File& to, const FeatureStoreHeader& header) {
  to.write_block<std::uint8_t>(layout::kTilesDone, {{0}, {header.plan().count()}}, read_done(from));
  for (const auto& column : header.tile_columns) {
    const std::string path = layout::column_of(column.name);
    to.write_block<std::int64_t>(path, {{0, 0}, {header.plan().count(), column.width}},
                                 from.read<std::int64_t>(path));
  }
}

}  // namespace

void replace_by_compressed(const std::filesystem::path& path, StoreKind kind,
                           const std::string& provenance_json, int level) {
  const H5File from = H5File::open_read(path);
  FeatureStoreHeader header = summarise(from, kind).header;
  header.provenance_json = provenance_json;
  H5File to = H5File::create(path);
  write_structure(to, header, level);
  for (const auto& probe : header.probes) copy_features(from, to, header, probe);
  copy_tile_columns(from, to, header);
  to.write_attribute_int("/", "complete", 1);
  to.close();
}

}  // namespace regulus::storage

#include "regulus/storage/feature_store.h"

#include <algorithm>

#include "feature_store_structure.h"

namespace regulus::storage {

namespace {

std::int64_t blocks_of(std::int64_t count, std::int64_t per_block) {
  return (count + per_block - 1) / per_block;
}

std::int64_t targets_per_block(const FeatureStoreHeader& header) {
  return header.targets_per_tile == 0 ? target_count(header) : header.targets_per_tile;
}

FeatureStoreHeader header_of_complete(const H5File& file, StoreKind kind) {
  FeatureStoreSummary summary = summarise(file, kind);
  if (!summary.complete || summary.tiles_done != summary.tiles)
    throw InputError("is unfinished: " + std::to_string(summary.tiles_done) + " of " +
                         std::to_string(summary.tiles) + " tiles are done",
                     file.name(),
                     std::string("the run that writes it was stopped or is still at work: let ") +
                         layout::command_of(kind) + " finish");
  summary.header.provenance_json = read_provenance(file);
  return std::move(summary.header);
}

template <typename Columns>
const Columns* find(const std::vector<Columns>& columns, const std::string& name) {
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Columns& candidate) { return candidate.name == name; });
  return found == columns.end() ? nullptr : &*found;
}

}  // namespace

std::int64_t tile_count(const FeatureStoreHeader& header) {
  return blocks_of(source_count(header), header.sources_per_tile) *
         blocks_of(target_count(header), targets_per_block(header));
}

TileBlock tile_block(const FeatureStoreHeader& header, std::int64_t tile) {
  const std::int64_t targets = targets_per_block(header);
  const std::int64_t target_blocks = blocks_of(target_count(header), targets);
  const std::int64_t source = tile / target_blocks * header.sources_per_tile;
  const std::int64_t target = tile % target_blocks * targets;
  return {source, std::min(header.sources_per_tile, source_count(header) - source), target,
          std::min(targets, target_count(header) - target)};
}

bool is_feature_store(const std::filesystem::path& path, StoreKind kind) {
  try {
    check_format(H5File::open_read(path), kind);
    return true;
  } catch (const Error&) {
    return false;
  }
}

FeatureStoreSummary describe_feature_store(const std::filesystem::path& path, StoreKind kind) {
  const H5File file = H5File::open_read(path);
  FeatureStoreSummary summary = summarise(file, kind);
  summary.header.provenance_json = read_provenance(file);
  return summary;
}

FeatureStore::FeatureStore(const std::filesystem::path& path, StoreKind kind)
    : file_(H5File::open_read(path)), header_(header_of_complete(file_, kind)) {}

std::vector<float> FeatureStore::read(const std::string& probe) const {
  return read_sources(probe, 0, source_count(header_));
}

std::vector<float> FeatureStore::read_sources(const std::string& probe, std::int64_t begin,
                                              std::int64_t count) const {
  const ProbeColumns* columns = find(header_.probes, probe);
  if (columns == nullptr)
    throw InputError(
        "has no features of the probe '" + probe + "'", file_.name(),
        "run `regulus probe` with this probe in --features; `regulus inspect` shows what is there");
  return file_.read_block<float>(layout::features_of(probe),
                                 {{begin, 0, 0}, {count, target_count(header_), columns->width}});
}

std::vector<std::int64_t> FeatureStore::read_tile_columns(const std::string& name) const {
  if (find(header_.tile_columns, name) == nullptr)
    throw InputError("has no numbers '" + name + "' of its tiles", file_.name(),
                     "`regulus inspect` shows what is there");
  return file_.read<std::int64_t>(layout::column_of(name));
}

}  // namespace regulus::storage

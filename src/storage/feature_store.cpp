#include "regulus/storage/feature_store.h"

#include <algorithm>

#include "feature_store_structure.h"

namespace regulus::storage {

namespace {

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

[[noreturn]] void no_tile_column(const std::string& name, const std::string& file) {
  throw InputError("has no numbers '" + name + "' of its tiles", file,
                   "`regulus inspect` shows what is there");
}

}  // namespace

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
  if (find(header_.tile_columns, name) == nullptr) no_tile_column(name, file_.name());
  return file_.read<std::int64_t>(layout::column_of(name));
}

std::vector<std::int64_t> FeatureStore::sum_tile_columns(const std::string& name) const {
  const TileColumns* column = find(header_.tile_columns, name);
  if (column == nullptr) no_tile_column(name, file_.name());
  constexpr std::int64_t kTilesAtOnce = 1024;
  const std::int64_t tiles = header_.plan().count();
  std::vector<std::int64_t> sums(static_cast<std::size_t>(column->width), 0);
  for (std::int64_t begin = 0; begin < tiles; begin += kTilesAtOnce) {
    const Block block{{begin, 0}, {std::min(kTilesAtOnce, tiles - begin), column->width}};
    const auto values = file_.read_block<std::int64_t>(layout::column_of(name), block);
    for (std::size_t i = 0; i < values.size(); ++i) sums[i % sums.size()] += values[i];
  }
  return sums;
}

}  // namespace regulus::storage

#include "regulus/storage/feature_store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "feature_store_layout.h"

namespace regulus::storage {

namespace {

[[noreturn]] void damaged(const std::string& name, const std::string& message) {
  throw InputError(message, name, "the feature store is damaged: run `regulus probe` again");
}

void check_format(const H5File& file) {
  if (!file.has_attribute("/", "format") || file.read_attribute_string("/", "format") != layout::kFormat)
    throw InputError("is not a feature store", file.name(), "expected the output of `regulus probe`");
  const std::int64_t version = file.read_attribute_int("/", "version");
  if (version != layout::kVersion)
    throw InputError("is a feature store of version " + std::to_string(version) +
                         "; this program reads version " + std::to_string(layout::kVersion),
                     file.name(), "use the program that wrote it, or run `regulus probe` again");
}

std::map<std::string, std::vector<double>> read_grids(const H5File& file) {
  try {
    return nlohmann::json::parse(file.read_attribute_string("/", "grids"))
        .get<std::map<std::string, std::vector<double>>>();
  } catch (const nlohmann::json::exception&) {
    damaged(file.name(), "its grids are not readable");
  }
}

std::vector<ProbeColumns> read_probes(const H5File& file, const FeatureStoreHeader& header) {
  std::vector<ProbeColumns> probes;
  for (const auto& name : file.children(layout::kFeatures)) {
    const std::string data_set = layout::features_of(name);
    const auto shape = file.shape(data_set);
    if (shape.size() != 3 || shape[0] != static_cast<std::int64_t>(header.sources.size()) ||
        shape[1] != static_cast<std::int64_t>(header.targets.size()))
      damaged(file.name() + ":" + data_set, "its shape does not fit the genes");
    probes.push_back({name, shape[2], file.read_attribute_string(data_set, "description")});
  }
  if (probes.empty()) damaged(file.name(), "it has no features");
  return probes;
}

FeatureStoreHeader read_header(const H5File& file) {
  FeatureStoreHeader header;
  header.sources = file.read_strings(layout::kSources);
  header.targets = file.read_strings(layout::kTargets);
  header.probes = read_probes(file, header);
  header.grids = read_grids(file);
  header.background = file.read_attribute_string("/", "background");
  header.checkpoint_sha256 = file.read_attribute_string("/", "checkpoint_sha256");
  header.provenance_json = file.read_attribute_string("/", "provenance");
  const auto plan = file.read<std::int64_t>(layout::kTilePlan);
  if (plan.size() < 2 || plan[1] < 1) damaged(file.name(), "its tile plan is not readable");
  header.sources_per_tile = plan[1];
  return header;
}

FeatureStoreSummary summarise(const H5File& file) {
  check_format(file);
  FeatureStoreSummary summary;
  summary.header = read_header(file);
  const auto done = file.read<std::uint8_t>(layout::kTilesDone);
  summary.tiles = tile_count(summary.header);
  summary.tiles_done = std::count(done.begin(), done.end(), 1);
  summary.complete = file.read_attribute_int("/", "complete") == 1;
  if (static_cast<std::int64_t>(done.size()) != summary.tiles)
    damaged(file.name(), "its tile plan does not fit the genes");
  return summary;
}

FeatureStoreHeader header_of_complete(const H5File& file) {
  FeatureStoreSummary summary = summarise(file);
  if (!summary.complete || summary.tiles_done != summary.tiles)
    throw InputError("is unfinished: " + std::to_string(summary.tiles_done) + " of " +
                         std::to_string(summary.tiles) + " tiles are done",
                     file.name(),
                     "the run that writes it was stopped or is still at work: let `regulus probe` finish");
  return std::move(summary.header);
}

}  // namespace

std::int64_t tile_count(const FeatureStoreHeader& header) {
  const auto sources = static_cast<std::int64_t>(header.sources.size());
  return (sources + header.sources_per_tile - 1) / header.sources_per_tile;
}

TileSources tile_sources(const FeatureStoreHeader& header, std::int64_t tile) {
  const std::int64_t begin = tile * header.sources_per_tile;
  return {begin, std::min(header.sources_per_tile, static_cast<std::int64_t>(header.sources.size()) - begin)};
}

bool is_feature_store(const std::filesystem::path& path) {
  try {
    check_format(H5File::open_read(path));
    return true;
  } catch (const Error&) {
    return false;
  }
}

FeatureStoreSummary describe_feature_store(const std::filesystem::path& path) {
  return summarise(H5File::open_read(path));
}

FeatureStore::FeatureStore(const std::filesystem::path& path)
    : file_(H5File::open_read(path)), header_(header_of_complete(file_)) {}

std::vector<float> FeatureStore::read(const std::string& probe) const {
  return read_sources(probe, 0, static_cast<std::int64_t>(header_.sources.size()));
}

std::vector<float> FeatureStore::read_sources(const std::string& probe, std::int64_t begin,
                                              std::int64_t count) const {
  const auto columns = std::find_if(header_.probes.begin(), header_.probes.end(),
                                    [&](const ProbeColumns& candidate) { return candidate.name == probe; });
  if (columns == header_.probes.end())
    throw InputError(
        "has no features of the probe '" + probe + "'", file_.name(),
        "run `regulus probe` with this probe in --features; `regulus inspect` shows what is there");
  const auto targets = static_cast<std::int64_t>(header_.targets.size());
  return file_.read_block<float>(layout::features_of(probe),
                                 {{begin, 0, 0}, {count, targets, columns->width}});
}

}  // namespace regulus::storage

#include "regulus/translator/pair_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>

#include "regulus/core/error.h"
#include "regulus/storage/feature_store.h"

namespace regulus::translator {

namespace {

std::int64_t probe_width(const storage::FeatureStoreHeader& header, const std::string& file,
                         const std::string& probe) {
  for (const storage::ProbeColumns& columns : header.probes)
    if (columns.name == probe) return columns.width;
  throw InputError("the feature store has no probe '" + probe + "'", file,
                   "probe again with --features " + probe);
}

void require_finite(const float* row, std::int64_t width, const std::string& file, const std::string& probe,
                    const std::string& pair) {
  if (std::all_of(row, row + width, [](float value) { return std::isfinite(value); })) return;
  throw InputError(fmt::format("the {} feature of {} is not a finite number", probe, pair), file,
                   "probe again: the store was damaged, or the model responds with infinities");
}

std::size_t run_end(const std::vector<std::int32_t>& source, std::size_t begin) {
  std::size_t end = begin;
  while (end < source.size() && source[end] == source[begin]) ++end;
  return end;
}

/// Adds names to a list without repeating any; returns where each of them is.
std::vector<std::int32_t> merge_names(std::vector<std::string>& into, const std::vector<std::string>& names) {
  std::unordered_map<std::string, std::int32_t> place;
  for (std::size_t i = 0; i < into.size(); ++i) place.emplace(into[i], static_cast<std::int32_t>(i));
  std::vector<std::int32_t> index;
  for (const std::string& name : names) {
    const auto [entry, fresh] = place.emplace(name, static_cast<std::int32_t>(into.size()));
    if (fresh) into.push_back(name);
    index.push_back(entry->second);
  }
  return index;
}

void append_translated(std::vector<std::int32_t>& into, const std::vector<std::int32_t>& from,
                       const std::vector<std::int32_t>& index) {
  for (const std::int32_t old : from) into.push_back(index[static_cast<std::size_t>(old)]);
}

std::string describe(const std::vector<ProbeMatrix>& features) {
  std::string text;
  for (const ProbeMatrix& matrix : features)
    text += fmt::format("{}{}[{}]", text.empty() ? "" : ", ", matrix.probe, matrix.width);
  return text;
}

}  // namespace

std::int64_t PairTable::positives() const {
  return std::count(label.begin(), label.end(), std::uint8_t{1});
}

std::vector<std::string> PairTable::genes() const {
  std::set<std::string> names;
  for (const std::int32_t index : source) names.insert(sources[static_cast<std::size_t>(index)]);
  for (const std::int32_t index : target) names.insert(targets[static_cast<std::size_t>(index)]);
  return {names.begin(), names.end()};
}

ProbeMatrix gather_features(const storage::FeatureStore& store, const std::string& file,
                            const std::string& probe, const LabelledPairs& pairs) {
  const storage::FeatureStoreHeader& header = store.header();
  ProbeMatrix matrix{probe, probe_width(header, file, probe), {}};
  matrix.values.reserve(pairs.label.size() * static_cast<std::size_t>(matrix.width));
  for (std::size_t begin = 0; begin < pairs.source.size();) {
    const std::size_t end = run_end(pairs.source, begin);
    const std::vector<float> rows = store.read_sources(probe, pairs.source[begin], 1);
    for (std::size_t pair = begin; pair < end; ++pair) {
      const float* row = rows.data() + pairs.target[pair] * matrix.width;
      require_finite(row, matrix.width, file, probe,
                     header.sources[static_cast<std::size_t>(pairs.source[pair])] + " -> " +
                         header.targets[static_cast<std::size_t>(pairs.target[pair])]);
      matrix.values.insert(matrix.values.end(), row, row + matrix.width);
    }
    begin = end;
  }
  return matrix;
}

PairTable make_pair_table(const storage::FeatureStore& store, const std::string& file,
                          const std::vector<std::string>& probes, const LabelledPairs& pairs) {
  PairTable table{
      store.header().sources, store.header().targets, pairs.source, pairs.target, pairs.label, {}};
  for (const std::string& probe : probes)
    table.features.push_back(gather_features(store, file, probe, pairs));
  return table;
}

void append(PairTable& table, const PairTable& other) {
  if (describe(table.features) != describe(other.features))
    throw OptionError("the feature stores hold different probes: " + describe(table.features) + " and " +
                          describe(other.features),
                      "--features",
                      "name the probes that they share with --probes, or probe again with equal grids");
  const std::vector<std::int32_t> sources = merge_names(table.sources, other.sources);
  const std::vector<std::int32_t> targets = merge_names(table.targets, other.targets);
  append_translated(table.source, other.source, sources);
  append_translated(table.target, other.target, targets);
  table.label.insert(table.label.end(), other.label.begin(), other.label.end());
  for (std::size_t i = 0; i < table.features.size(); ++i) {
    std::vector<float>& values = table.features[i].values;
    values.insert(values.end(), other.features[i].values.begin(), other.features[i].values.end());
  }
}

void broadcast(const comm::Communicator& comm, PairTable& table) {
  comm.broadcast(table.sources);
  comm.broadcast(table.targets);
  comm.broadcast(table.source);
  comm.broadcast(table.target);
  comm.broadcast(table.label);
  auto probes = static_cast<std::int64_t>(table.features.size());
  comm.broadcast_value(probes);
  table.features.resize(static_cast<std::size_t>(probes));
  for (ProbeMatrix& matrix : table.features) {
    comm.broadcast(matrix.probe);
    comm.broadcast_value(matrix.width);
    comm.broadcast(matrix.values);
  }
}

}  // namespace regulus::translator

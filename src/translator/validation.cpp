#include "regulus/translator/validation.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "regulus/core/log.h"
#include "regulus/data/split.h"

namespace regulus::translator {

namespace {

std::vector<std::string> keys_in_use(const std::vector<std::string>& names,
                                     const std::vector<std::int32_t>& used) {
  std::set<std::string> keys;
  for (const std::int32_t index : used) keys.insert(gene_key(names[static_cast<std::size_t>(index)]));
  return {keys.begin(), keys.end()};
}

std::vector<bool> admitted(const GeneFilter& filter, const std::vector<std::string>& names) {
  std::vector<bool> verdicts;
  for (const std::string& name : names) verdicts.push_back(filter.admits(name));
  return verdicts;
}

bool has_both_labels(const PairTable& table, const std::vector<std::int64_t>& pairs) {
  const auto positive = [&](std::int64_t pair) { return table.label[static_cast<std::size_t>(pair)] == 1; };
  const auto count = std::count_if(pairs.begin(), pairs.end(), positive);
  return count > 0 && count < static_cast<std::ptrdiff_t>(pairs.size());
}

TrainingSplit everything(const PairTable& table) {
  TrainingSplit split;
  split.train.resize(table.label.size());
  std::iota(split.train.begin(), split.train.end(), 0);
  return split;
}

}  // namespace

TrainingSplit split_for_validation(const PairTable& table, double fraction, std::uint64_t seed) {
  const std::vector<std::string> sources = keys_in_use(table.sources, table.source);
  if (fraction <= 0.0 || sources.size() < 2) return everything(table);
  const std::vector<std::string> targets = keys_in_use(table.targets, table.target);
  const GeneFilter chosen = GeneFilter::only(data::split_genes(sources, targets, fraction, seed).test);
  const std::vector<bool> source_chosen = admitted(chosen, table.sources);
  const std::vector<bool> target_chosen = admitted(chosen, table.targets);
  TrainingSplit split;
  for (std::size_t pair = 0; pair < table.label.size(); ++pair) {
    const bool validates = source_chosen[static_cast<std::size_t>(table.source[pair])] ||
                           target_chosen[static_cast<std::size_t>(table.target[pair])];
    (validates ? split.validation : split.train).push_back(static_cast<std::int64_t>(pair));
  }
  if (has_both_labels(table, split.train) && has_both_labels(table, split.validation)) return split;
  log::info("too few pairs for a validation part: training runs all epochs");
  return everything(table);
}

}  // namespace regulus::translator

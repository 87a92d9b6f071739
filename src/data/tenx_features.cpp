#include "tenx_features.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/prepare.h"

namespace regulus::data::detail {

namespace {

constexpr const char* kGeneType = "Gene Expression";

bool is_gene(const TenxFeatures& features, std::size_t feature) {
  return features.types.empty() || features.types[feature] == kGeneType;
}

void log_dropped(const TenxFeatures& features, const std::string& where) {
  std::map<std::string, std::int64_t> dropped;
  for (const std::string& type : features.types)
    if (type != kGeneType) ++dropped[type];
  for (const auto& [type, count] : dropped)
    log::info("{}: {} features of the type '{}' dropped", where, count, type);
}

std::string settle_genome(const TenxFeatures& features, const std::string& asked, const std::string& where) {
  std::set<std::string> genomes;
  for (std::size_t feature = 0; feature < features.genomes.size(); ++feature)
    if (is_gene(features, feature)) genomes.insert(features.genomes[feature]);
  if (genomes.contains(asked) || (asked.empty() && genomes.empty())) return asked;
  if (asked.empty() && genomes.size() == 1) return *genomes.begin();
  refuse_genomes({genomes.begin(), genomes.end()}, asked, where);
}

}  // namespace

void refuse_genomes(const std::vector<std::string>& genomes, const std::string& asked,
                    const std::string& where) {
  const std::string listed = fmt::format("{}", fmt::join(genomes, ", "));
  if (asked.empty())
    throw InputError("there are the genomes " + listed, where, "choose one of them with --genome");
  throw InputError(
      "there is no genome '" + asked + "'", where,
      genomes.empty() ? "the file names no genomes: leave --genome out" : "the genomes are " + listed);
}

KeptGenes keep_genes(const TenxFeatures& features, const std::string& genome, const std::string& where) {
  const std::string chosen = settle_genome(features, genome, where);
  log_dropped(features, where);
  KeptGenes kept;
  kept.new_index.assign(features.names.size(), -1);
  for (std::size_t feature = 0; feature < features.names.size(); ++feature) {
    if (!is_gene(features, feature)) continue;
    if (!features.genomes.empty() && features.genomes[feature] != chosen) continue;
    const std::string& name =
        features.names[feature].empty() ? features.ids[feature] : features.names[feature];
    if (name.empty()) throw InputError(fmt::format("feature {} has no name", feature + 1), where);
    kept.new_index[feature] = static_cast<std::int32_t>(kept.names.size());
    kept.names.push_back(name);
  }
  if (kept.names.empty())
    throw InputError("there is no feature of the type Gene Expression", where,
                     "give a gene expression matrix");
  const std::int64_t renamed = make_unique(kept.names);
  if (renamed > 0)
    log::warning("{}: {} genes had a symbol that was taken and got a number appended", where, renamed);
  return kept;
}

}  // namespace regulus::data::detail

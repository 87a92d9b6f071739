#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/data/simulation.h"

namespace regulus::data {

namespace {

constexpr double kMasterShare = 0.3;
constexpr double kActivatingShare = 0.7;
constexpr double kHubSpread = 0.4;    // log-normal spread of how often a TF is chosen as a regulator
constexpr double kBasalSpread = 0.6;  // log-normal spread of basal expression

std::int64_t rounded(double value) {
  return static_cast<std::int64_t>(std::llround(value));
}

void check(const SimulationOptions& options) {
  const auto positive = [](std::int64_t value, const char* option) {
    if (value < 1) throw OptionError("must be at least 1", option);
  };
  positive(options.datasets, "--datasets");
  positive(options.cells, "--cells");
  positive(options.tfs, "--tfs");
  if (options.genes <= options.tfs) throw OptionError("must exceed --tfs", "--genes");
  if (!(options.shared > 0.0 && options.shared < 1.0))
    throw OptionError("must lie between 0 and 1", "--shared");
  if (rounded(options.shared * static_cast<double>(options.tfs)) < 2)
    throw OptionError("leaves fewer than two shared TFs", "--tfs", "raise --tfs or --shared");
  if (!(options.regulators >= 1.0)) throw OptionError("must be at least 1", "--regulators");
  if (!(options.depth > 0.0)) throw OptionError("must be positive", "--depth");
}

/// Draws `count` distinct candidates, each with probability in proportion to its weight.
std::vector<std::int64_t> choose(std::vector<std::int64_t> candidates, std::int64_t count,
                                 const std::vector<double>& weight, RandomStream& random) {
  std::vector<std::int64_t> chosen;
  while (count-- > 0 && !candidates.empty()) {
    double total = 0.0;
    for (const auto c : candidates) total += weight[static_cast<std::size_t>(c)];
    double draw = random.uniform() * total;
    std::size_t k = 0;
    while (k + 1 < candidates.size() && (draw -= weight[static_cast<std::size_t>(candidates[k])]) >= 0.0) ++k;
    chosen.push_back(candidates[k]);
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(k));
  }
  return chosen;
}

class UniverseBuilder {
 public:
  explicit UniverseBuilder(const SimulationOptions& options) : options_(options) {}

  Universe build() {
    add_block(-1);
    for (std::int64_t d = 0; d < options_.datasets; ++d) add_block(d);
    rank_genes();
    for (const std::int64_t gene : universe_.order)
      if (!universe_.is_master[static_cast<std::size_t>(gene)]) add_regulators(gene);
    return std::move(universe_);
  }

 private:
  /// The shared genes (owner -1), or those of one data set alone; TFs first, the masters among them drawn at
  /// random.
  void add_block(std::int64_t owner) {
    const auto shared_tfs = rounded(options_.shared * static_cast<double>(options_.tfs));
    const auto shared_genes = rounded(options_.shared * static_cast<double>(options_.genes));
    const std::int64_t tfs = owner < 0 ? shared_tfs : options_.tfs - shared_tfs;
    const std::int64_t genes = owner < 0 ? shared_genes : options_.genes - shared_genes;
    const std::string prefix = owner < 0 ? "S" : fmt::format("D{}", owner + 1);
    RandomStream random(options_.seed, "simulate.block", static_cast<std::uint64_t>(owner + 1));
    const auto masters = random.sample(
        tfs, std::min(tfs, std::max<std::int64_t>(1, rounded(kMasterShare * static_cast<double>(tfs)))));
    for (std::int64_t k = 0; k < genes; ++k) {
      const bool tf = k < tfs;
      universe_.genes.push_back(fmt::format("{}{}{:04d}", prefix, tf ? "TF" : "G", (tf ? k : k - tfs) + 1));
      universe_.owner.push_back(owner);
      universe_.is_tf.push_back(tf);
      universe_.is_master.push_back(tf && std::find(masters.begin(), masters.end(), k) != masters.end());
      universe_.basal.push_back(std::exp(kBasalSpread * random.normal()));
      hub_weight_.push_back(std::exp(kHubSpread * random.normal()));
      rank_.push_back(random.uniform() + (!tf ? 10.0 : universe_.is_master.back() ? 0.0 : 2.0));
    }
  }

  void rank_genes() {
    universe_.order.resize(universe_.genes.size());
    std::iota(universe_.order.begin(), universe_.order.end(), 0);
    std::sort(universe_.order.begin(), universe_.order.end(), [this](std::int64_t a, std::int64_t b) {
      return rank_[static_cast<std::size_t>(a)] < rank_[static_cast<std::size_t>(b)];
    });
  }

  /// TFs of one owner that may regulate the gene.
  std::vector<std::int64_t> candidates(std::int64_t gene, std::int64_t owner) const {
    std::vector<std::int64_t> result;
    for (std::size_t i = 0; i < rank_.size(); ++i)
      if (universe_.is_tf[i] && universe_.owner[i] == owner &&
          rank_[i] < rank_[static_cast<std::size_t>(gene)])
        result.push_back(static_cast<std::int64_t>(i));
    return result;
  }

  void regulate(std::int64_t gene, const std::vector<std::int64_t>& sources, RandomStream& random) {
    for (const std::int64_t source : sources) {
      const double sign = random.uniform() < kActivatingShare ? 1.0 : -1.0;
      const double fold = 4.0 + 8.0 * random.uniform();
      const double steepness = 1.5 + 1.5 * random.uniform();
      universe_.regulations.push_back({source, gene, sign, fold, steepness});
    }
  }

  /// A private gene takes its regulators from the shared TFs and its data set's own. A shared gene has at
  /// least one shared regulator; the others may be shared, or each data set's own.
  void add_regulators(std::int64_t gene) {
    RandomStream random(options_.seed, "simulate.regulators", static_cast<std::uint64_t>(gene));
    const std::int64_t owner = universe_.owner[static_cast<std::size_t>(gene)];
    const auto count = 1 + static_cast<std::int64_t>(random.poisson(options_.regulators - 1.0));
    std::vector<std::int64_t> shared = candidates(gene, -1);
    if (owner >= 0) {
      const auto own = candidates(gene, owner);
      shared.insert(shared.end(), own.begin(), own.end());
      regulate(gene, choose(shared, count, hub_weight_, random), random);
      return;
    }
    std::int64_t from_shared = 1;
    for (std::int64_t k = 1; k < count; ++k) from_shared += random.uniform() < options_.shared ? 1 : 0;
    regulate(gene, choose(shared, from_shared, hub_weight_, random), random);
    for (std::int64_t d = 0; d < options_.datasets; ++d)
      regulate(gene, choose(candidates(gene, d), count - from_shared, hub_weight_, random), random);
  }

  const SimulationOptions& options_;
  Universe universe_;
  std::vector<double> rank_, hub_weight_;
};

}  // namespace

Universe draw_universe(const SimulationOptions& options) {
  check(options);
  return UniverseBuilder(options).build();
}

}  // namespace regulus::data

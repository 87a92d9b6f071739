#include "regulus/data/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "regulus/core/random.h"

namespace regulus::data {

namespace {

constexpr std::int64_t kStates = 4;          // cell states of a data set
constexpr double kStateConcentration = 5.0;  // Dirichlet, of their shares
constexpr double kStateSpread = 0.6;         // of a master's mean log activity between states
constexpr double kMasterNoise = 0.6;         // of a master's log activity within a state
constexpr double kIntrinsicNoise = 0.35;     // of every other gene's log activity
constexpr double kKineticsSpread = 0.15;  // between data sets: log fold, log basal; half of it log steepness
constexpr double kThresholdSpread = 0.2;  // of a regulation's log threshold around the median activity
constexpr double kLibrarySpread = 0.35;   // of the log library size
constexpr double kLargestDropout = 0.3;   // of an expected count of zero
constexpr double kDropoutScale =
    0.5;  // expected count, in units of depth, at which dropout has fallen to 1/e

using Row = std::vector<double>;  // one value per cell

double median(Row values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

class DatasetBuilder {
 public:
  DatasetBuilder(const SimulationOptions& options, const Universe& universe, std::int64_t index)
      : options_(options),
        universe_(universe),
        index_(index),
        cells_(static_cast<std::size_t>(options.cells)),
        activity_(universe.genes.size()) {}

  SimulatedDataset build() {
    draw_states();
    for (const std::int64_t gene : universe_.order)
      if (member(gene)) draw_activity(gene);
    SimulatedDataset dataset;
    dataset.name = fmt::format("dataset_{}", index_ + 1);
    dataset.counts = draw_counts();
    dataset.network = network(dataset.name);
    for (std::size_t i = 0; i < universe_.genes.size(); ++i)
      if (universe_.is_tf[i] && member(static_cast<std::int64_t>(i)))
        dataset.tfs.push_back(universe_.genes[i]);
    return dataset;
  }

 private:
  bool member(std::int64_t gene) const {
    const std::int64_t owner = universe_.owner[static_cast<std::size_t>(gene)];
    return owner < 0 || owner == index_;
  }

  /// A stream of its own for everything drawn about a gene (or a cell) of this data set.
  RandomStream stream(const char* purpose, std::int64_t item) const {
    const auto id = static_cast<std::uint64_t>(index_) << 40U | static_cast<std::uint64_t>(item);
    return {options_.seed, purpose, id};
  }

  void draw_states() {
    RandomStream random = stream("simulate.states", 0);
    Row share;
    double total = 0.0;
    for (std::int64_t k = 0; k < kStates; ++k) total += share.emplace_back(random.gamma(kStateConcentration));
    for (std::size_t c = 0; c < cells_; ++c) {
      double draw = random.uniform() * total;
      std::size_t state = 0;
      while (state + 1 < share.size() && (draw -= share[state]) >= 0.0) ++state;
      state_.push_back(state);
    }
  }

  void draw_activity(std::int64_t gene) {
    RandomStream random = stream("simulate.activity", gene);
    Row& activity = activity_[static_cast<std::size_t>(gene)];
    activity.assign(cells_, 1.0);
    if (universe_.is_master[static_cast<std::size_t>(gene)])
      draw_master(activity, random);
    else
      draw_regulated(gene, activity, random);
  }

  void draw_master(Row& activity, RandomStream& random) const {
    Row mean;
    for (std::int64_t k = 0; k < kStates; ++k) mean.push_back(kStateSpread * random.normal());
    for (std::size_t c = 0; c < cells_; ++c)
      activity[c] = std::exp(mean[state_[c]] + kMasterNoise * random.normal());
  }

  /// Product of Hill responses over the regulators, centred on 1, times intrinsic noise.
  void draw_regulated(std::int64_t gene, Row& activity, RandomStream& random) const {
    for (const Regulation& regulation : universe_.regulations)
      if (regulation.target == gene && member(regulation.source)) apply(regulation, activity, random);
    double log_mean = 0.0;
    for (const double x : activity) log_mean += std::log(x) / static_cast<double>(cells_);
    for (double& x : activity) x *= std::exp(kIntrinsicNoise * random.normal() - log_mean);
  }

  void apply(const Regulation& regulation, Row& activity, RandomStream& random) const {
    const Row& source = activity_[static_cast<std::size_t>(regulation.source)];
    const double fold = regulation.fold * std::exp(kKineticsSpread * random.normal());
    const double steepness = regulation.steepness * std::exp(0.5 * kKineticsSpread * random.normal());
    const double threshold = median(source) * std::exp(kThresholdSpread * random.normal());
    for (std::size_t c = 0; c < cells_; ++c) {
      const double bound = 1.0 / (1.0 + std::pow(threshold / source[c], steepness));
      const double response = 1.0 + fold * bound;
      activity[c] *= regulation.sign > 0.0 ? response : 1.0 / response;
    }
  }

  std::vector<std::int64_t> members() const {
    std::vector<std::int64_t> genes;
    for (std::size_t i = 0; i < universe_.genes.size(); ++i)
      if (member(static_cast<std::int64_t>(i))) genes.push_back(static_cast<std::int64_t>(i));
    return genes;
  }

  /// Expected expression b_j x_jc of the members, [genes][cells], and its mean per gene and cell.
  double scale_expression(const std::vector<std::int64_t>& genes) {
    double total = 0.0;
    for (const std::int64_t gene : genes) {
      RandomStream random = stream("simulate.basal", gene);
      const double basal =
          universe_.basal[static_cast<std::size_t>(gene)] * std::exp(kKineticsSpread * random.normal());
      for (double& x : activity_[static_cast<std::size_t>(gene)]) total += x *= basal;
    }
    return total / static_cast<double>(genes.size() * cells_);
  }

  Expression draw_counts() {
    const std::vector<std::int64_t> genes = members();
    const double mean = scale_expression(genes);
    Expression counts;
    for (const std::int64_t gene : genes)
      counts.genes.push_back(universe_.genes[static_cast<std::size_t>(gene)]);
    counts.row_begin = {0};
    for (std::size_t c = 0; c < cells_; ++c) {
      counts.cells.push_back(fmt::format("D{}_cell{:05d}", index_ + 1, c + 1));
      draw_cell(c, genes, options_.depth / mean, counts);
    }
    return counts;
  }

  void draw_cell(std::size_t cell, const std::vector<std::int64_t>& genes, double scale,
                 Expression& counts) const {
    RandomStream random = stream("simulate.cell", static_cast<std::int64_t>(cell));
    const double library = std::exp(kLibrarySpread * random.normal() - 0.5 * kLibrarySpread * kLibrarySpread);
    for (std::size_t g = 0; g < genes.size(); ++g) {
      const double expected = activity_[static_cast<std::size_t>(genes[g])][cell] * scale * library;
      const auto count = random.poisson(expected);
      const double dropout = kLargestDropout * std::exp(-expected / (kDropoutScale * options_.depth));
      if (random.uniform() < dropout || count == 0) continue;
      counts.column.push_back(static_cast<std::int32_t>(g));
      counts.value.push_back(static_cast<float>(count));
    }
    counts.row_begin.push_back(static_cast<std::int64_t>(counts.column.size()));
  }

  Network network(const std::string& name) const {
    std::vector<Edge> edges;
    for (const Regulation& regulation : universe_.regulations)
      if (member(regulation.source) && member(regulation.target))
        edges.push_back({universe_.genes[static_cast<std::size_t>(regulation.source)],
                         universe_.genes[static_cast<std::size_t>(regulation.target)]});
    return make_network(name, std::move(edges));
  }

  const SimulationOptions& options_;
  const Universe& universe_;
  std::int64_t index_;
  std::size_t cells_;
  std::vector<std::size_t> state_;
  std::vector<Row> activity_;  // by gene of the universe; empty if not a member
};

}  // namespace

SimulatedDataset draw_dataset(const SimulationOptions& options, const Universe& universe,
                              std::int64_t index) {
  return DatasetBuilder(options, universe, index).build();
}

}  // namespace regulus::data

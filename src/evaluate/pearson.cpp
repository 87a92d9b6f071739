#include "regulus/evaluate/pearson.h"

#include <cmath>

#include "regulus/core/error.h"

namespace regulus::evaluate {

PearsonControl::PearsonControl(const data::Expression& expression)
    : cells_(expression.cell_count()), begin_(expression.genes.size() + 1, 0) {
  if (cells_ < 2) throw InputError("a correlation needs at least two cells", "", "leave out --expression");
  for (std::size_t gene = 0; gene < expression.genes.size(); ++gene) {
    exact_.emplace(expression.genes[gene], gene);
    upper_.emplace(translator::gene_key(expression.genes[gene]), gene);
  }
  for (const std::int32_t gene : expression.column) ++begin_[static_cast<std::size_t>(gene) + 1];
  for (std::size_t gene = 1; gene < begin_.size(); ++gene) begin_[gene] += begin_[gene - 1];
  cell_.resize(expression.column.size());
  value_.resize(expression.column.size());
  std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
  for (std::int64_t cell = 0; cell < cells_; ++cell)
    for (auto at = expression.row_begin[static_cast<std::size_t>(cell)];
         at < expression.row_begin[static_cast<std::size_t>(cell) + 1]; ++at) {
      const std::size_t slot =
          next[static_cast<std::size_t>(expression.column[static_cast<std::size_t>(at)])]++;
      cell_[slot] = static_cast<std::int32_t>(cell);
      value_[slot] = expression.value[static_cast<std::size_t>(at)];
    }
  for (std::size_t gene = 0; gene < expression.genes.size(); ++gene) {
    double squares = 0.0;
    for (const double deviation : centred(gene)) squares += deviation * deviation;
    norm_.push_back(std::sqrt(squares));
  }
}

double PearsonControl::mean(std::size_t gene) const {
  double sum = 0.0;
  for (std::size_t at = begin_[gene]; at < begin_[gene + 1]; ++at) sum += static_cast<double>(value_[at]);
  return sum / static_cast<double>(cells_);
}

std::vector<double> PearsonControl::centred(std::size_t gene) const {
  const double average = mean(gene);
  std::vector<double> values(static_cast<std::size_t>(cells_), -average);
  for (std::size_t at = begin_[gene]; at < begin_[gene + 1]; ++at)
    values[static_cast<std::size_t>(cell_[at])] = static_cast<double>(value_[at]) - average;
  return values;
}

std::optional<std::size_t> PearsonControl::find(const std::string& gene) const {
  if (const auto found = exact_.find(gene); found != exact_.end()) return found->second;
  if (const auto found = upper_.find(translator::gene_key(gene)); found != upper_.end()) return found->second;
  return std::nullopt;
}

std::vector<double> PearsonControl::scores(const std::vector<std::string>& sources,
                                           const std::vector<std::string>& targets,
                                           const translator::LabelledPairs& pairs) const {
  std::vector<std::optional<std::size_t>> target_gene;
  for (const std::string& target : targets) target_gene.push_back(find(target));
  std::vector<double> result(pairs.label.size(), 0.0);
  std::vector<double> source_values;
  std::optional<std::size_t> source;
  for (std::size_t pair = 0; pair < result.size(); ++pair) {
    if (pair == 0 || pairs.source[pair] != pairs.source[pair - 1]) {
      source = find(sources[static_cast<std::size_t>(pairs.source[pair])]);
      if (source) source_values = centred(*source);
    }
    const auto target = target_gene[static_cast<std::size_t>(pairs.target[pair])];
    if (!source || !target || norm_[*source] == 0.0 || norm_[*target] == 0.0) continue;
    // The source's deviations sum to zero, so the target's mean drops out and its zeros need no visit.
    double product = 0.0;
    for (std::size_t at = begin_[*target]; at < begin_[*target + 1]; ++at)
      product += source_values[static_cast<std::size_t>(cell_[at])] * static_cast<double>(value_[at]);
    result[pair] = std::abs(product / (norm_[*source] * norm_[*target]));
  }
  return result;
}

}  // namespace regulus::evaluate

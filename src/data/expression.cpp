#include "regulus/data/expression.h"

#include <algorithm>
#include <utility>

#include "regulus/core/error.h"

namespace regulus::data {

std::string to_string(ValueScale scale) {
  switch (scale) {
    case ValueScale::Counts:
      return "counts";
    case ValueScale::LogNormalised:
      return "log-normalised";
    case ValueScale::Other:
      break;
  }
  return "other";
}

std::vector<float> Expression::dense_row(std::int64_t cell) const {
  const auto row = static_cast<std::size_t>(cell);
  std::vector<float> values(genes.size(), 0.0F);
  for (auto k = static_cast<std::size_t>(row_begin.at(row));
       k < static_cast<std::size_t>(row_begin.at(row + 1)); ++k)
    values[static_cast<std::size_t>(column[k])] = value[k];
  return values;
}

std::vector<float> Expression::dense() const {
  std::vector<float> values;
  values.reserve(cells.size() * genes.size());
  for (std::int64_t cell = 0; cell < cell_count(); ++cell) {
    const std::vector<float> row = dense_row(cell);
    values.insert(values.end(), row.begin(), row.end());
  }
  return values;
}

std::vector<double> Expression::gene_means() const {
  std::vector<double> means(genes.size(), 0.0);
  for (std::size_t k = 0; k < value.size(); ++k) means[static_cast<std::size_t>(column[k])] += value[k];
  for (double& mean : means) mean /= std::max<double>(1.0, static_cast<double>(cells.size()));
  return means;
}

Expression select_genes(const Expression& expression, const std::vector<std::int64_t>& gene_indices) {
  constexpr std::int32_t kAbsent = -1;
  Expression selected;
  std::vector<std::int32_t> new_index(expression.genes.size(), kAbsent);
  for (const std::int64_t gene : gene_indices) {
    if (gene < 0 || gene >= expression.gene_count() || new_index[static_cast<std::size_t>(gene)] != kAbsent)
      throw Error(ErrorKind::Internal,
                  "gene index " + std::to_string(gene) + " is out of range or given twice");
    new_index[static_cast<std::size_t>(gene)] = static_cast<std::int32_t>(selected.genes.size());
    selected.genes.push_back(expression.genes[static_cast<std::size_t>(gene)]);
  }
  selected.cells = expression.cells;
  selected.row_begin = {0};
  std::vector<std::pair<std::int32_t, float>> row;
  for (std::size_t cell = 0; cell < expression.cells.size(); ++cell) {
    row.clear();
    for (std::int64_t k = expression.row_begin[cell]; k < expression.row_begin[cell + 1]; ++k) {
      const std::int32_t gene =
          new_index[static_cast<std::size_t>(expression.column[static_cast<std::size_t>(k)])];
      if (gene != kAbsent) row.emplace_back(gene, expression.value[static_cast<std::size_t>(k)]);
    }
    std::sort(row.begin(), row.end());
    for (const auto& [gene, amount] : row) {
      selected.column.push_back(gene);
      selected.value.push_back(amount);
    }
    selected.row_begin.push_back(static_cast<std::int64_t>(selected.value.size()));
  }
  return selected;
}

Expression from_dense(std::vector<std::string> cells, std::vector<std::string> genes,
                      const std::vector<float>& values) {
  if (values.size() != cells.size() * genes.size())
    throw Error(ErrorKind::Internal, "a dense matrix has " + std::to_string(values.size()) +
                                         " values instead of " + std::to_string(cells.size() * genes.size()));
  Expression expression;
  expression.row_begin = {0};
  for (std::size_t cell = 0; cell < cells.size(); ++cell) {
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      const float amount = values[cell * genes.size() + gene];
      if (amount == 0.0F) continue;
      expression.column.push_back(static_cast<std::int32_t>(gene));
      expression.value.push_back(amount);
    }
    expression.row_begin.push_back(static_cast<std::int64_t>(expression.value.size()));
  }
  expression.cells = std::move(cells);
  expression.genes = std::move(genes);
  return expression;
}

}  // namespace regulus::data

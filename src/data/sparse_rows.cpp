#include "sparse_rows.h"

#include <algorithm>
#include <utility>

namespace regulus::data::detail {

SparseRows rows_of_lengths(const std::vector<std::int64_t>& lengths, const std::string& where) {
  SparseRows rows;
  for (const std::int64_t length : lengths) rows.begin.push_back(rows.begin.back() + length);
  reserve(rows.column, rows.begin.back(), where);
  reserve(rows.value, rows.begin.back(), where);
  rows.column.resize(static_cast<std::size_t>(rows.begin.back()));
  rows.value.resize(static_cast<std::size_t>(rows.begin.back()));
  return rows;
}

void settle_rows(SparseRows& rows, const std::function<void(std::int64_t, std::int32_t)>& on_repeat) {
  std::vector<std::pair<std::int32_t, float>> row;
  std::size_t kept = 0;
  for (std::size_t r = 0; r + 1 < rows.begin.size(); ++r) {
    row.clear();
    for (auto k = static_cast<std::size_t>(rows.begin[r]); k < static_cast<std::size_t>(rows.begin[r + 1]);
         ++k)
      row.emplace_back(rows.column[k], rows.value[k]);
    std::stable_sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    rows.begin[r] = static_cast<std::int64_t>(kept);  // never beyond where the next row still is
    for (std::size_t k = 0; k < row.size();) {
      float sum = row[k].second;
      const std::int32_t column = row[k].first;
      for (++k; k < row.size() && row[k].first == column; ++k) {
        on_repeat(static_cast<std::int64_t>(r), column);
        sum += row[k].second;
      }
      if (sum == 0.0F) continue;
      rows.column[kept] = column;
      rows.value[kept++] = sum;
    }
  }
  rows.begin.back() = static_cast<std::int64_t>(kept);
  rows.column.resize(kept);
  rows.value.resize(kept);
}

Expression to_expression(SparseRows rows, std::vector<std::string> cells, std::vector<std::string> genes) {
  Expression expression;
  expression.cells = std::move(cells);
  expression.genes = std::move(genes);
  expression.row_begin = std::move(rows.begin);
  expression.column = std::move(rows.column);
  expression.value = std::move(rows.value);
  return expression;
}

}  // namespace regulus::data::detail

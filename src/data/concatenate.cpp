#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "regulus/core/error.h"
#include "regulus/core/log.h"
#include "regulus/data/prepare.h"
#include "regulus/data/vocabulary.h"

namespace regulus::data {

namespace {

/// Numbers names by first appearance.
class NameIndex {
 public:
  std::int32_t operator()(const std::string& name) {
    const auto [entry, is_new] = index_.emplace(name, static_cast<std::int32_t>(names_.size()));
    if (is_new) names_.push_back(name);
    return entry->second;
  }
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::unordered_map<std::string, std::int32_t> index_;
  std::vector<std::string> names_;
};

/// Appends the rows of `part` with new gene indices; entries of a row that get the same gene are summed.
void append_rows(const Expression& part, const std::vector<std::int32_t>& new_index, Expression& whole) {
  std::vector<std::pair<std::int32_t, float>> row;
  for (std::size_t cell = 0; cell < part.cells.size(); ++cell) {
    row.clear();
    for (auto k = static_cast<std::size_t>(part.row_begin[cell]);
         k < static_cast<std::size_t>(part.row_begin[cell + 1]); ++k)
      row.emplace_back(new_index[static_cast<std::size_t>(part.column[k])], part.value[k]);
    std::sort(row.begin(), row.end());
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0 && row[i].first == row[i - 1].first) {
        whole.value.back() += row[i].second;
        continue;
      }
      whole.column.push_back(row[i].first);
      whole.value.push_back(row[i].second);
    }
    whole.row_begin.push_back(static_cast<std::int64_t>(whole.value.size()));
  }
  whole.cells.insert(whole.cells.end(), part.cells.begin(), part.cells.end());
}

}  // namespace

Expression concatenate(const std::vector<Expression>& parts) {
  Expression whole;
  whole.row_begin = {0};
  NameIndex genes;
  for (const Expression& part : parts) {
    std::vector<std::int32_t> new_index;
    for (const std::string& gene : part.genes) new_index.push_back(genes(gene));
    append_rows(part, new_index, whole);
  }
  whole.genes = genes.names();
  return whole;
}

void upper_case_genes(Expression& expression, ValueScale scale, const std::string& where) {
  NameIndex genes;
  std::vector<std::int32_t> new_index;
  for (const std::string& gene : expression.genes) {
    const auto known = genes.names().size();
    new_index.push_back(genes(upper_case(gene)));
    if (genes.names().size() == known && scale != ValueScale::Counts)
      throw InputError(
          "gene " + gene + " and another one are both " + upper_case(gene) + " in upper case", where,
          "logarithms of counts cannot be added: rename or drop one of the genes, or give raw counts");
  }
  const std::size_t joined = expression.genes.size() - genes.names().size();
  if (joined > 0)
    log::info("{}: {} genes joined others of the same upper-case symbol, summed", where, joined);
  Expression renamed;
  renamed.row_begin = {0};
  append_rows(expression, new_index, renamed);
  renamed.genes = genes.names();
  expression = std::move(renamed);
}

std::int64_t make_unique(std::vector<std::string>& names) {
  std::unordered_set<std::string> taken(names.begin(), names.end());
  if (taken.size() == names.size()) return 0;
  std::unordered_map<std::string, std::int64_t> seen;
  std::int64_t changed = 0;
  for (std::string& name : names) {
    std::int64_t& count = seen[name];
    if (count++ == 0) continue;
    std::string candidate;
    do {
      candidate = name + "-" + std::to_string(count - 1);
    } while (!taken.insert(candidate).second && ++count > 0);
    name = candidate;
    ++changed;
  }
  return changed;
}

}  // namespace regulus::data

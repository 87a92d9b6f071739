#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "regulus/data/expression.h"
#include "regulus/translator/pairs.h"

namespace regulus::evaluate {

/// The control that needs no model: the absolute Pearson correlation of two genes over a data set's own
/// cells, in float64. Work per pair is the number of cells that express the target; memory is that of the
/// expression.
class PearsonControl {
 public:
  /// \throws InputError with fewer than two cells
  explicit PearsonControl(const data::Expression& expression);

  /// |r| of every pair; 0 where a gene is constant or not in the expression (names are compared exactly, then
  /// by upper case). \param pairs indices into sources and targets, sorted by source \collective no
  std::vector<double> scores(const std::vector<std::string>& sources, const std::vector<std::string>& targets,
                             const translator::LabelledPairs& pairs) const;

  /// Index of a gene in the expression.
  std::optional<std::size_t> find(const std::string& gene) const;

 private:
  double mean(std::size_t gene) const;
  /// Values of a gene minus their mean, one per cell.
  std::vector<double> centred(std::size_t gene) const;

  std::int64_t cells_;
  std::unordered_map<std::string, std::size_t> exact_, upper_;
  std::vector<std::size_t> begin_;  ///< [genes + 1], offsets into cell_ and value_
  std::vector<std::int32_t> cell_;  ///< increasing within a gene
  std::vector<float> value_;        ///< non-zero values by gene
  std::vector<double> norm_;        ///< [genes], root of the sum of squared deviations from the mean
};

}  // namespace regulus::evaluate

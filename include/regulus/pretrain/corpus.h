#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "regulus/data/expression.h"
#include "regulus/data/vocabulary.h"

namespace regulus::pretrain {

/// One cell of one data set of a corpus.
struct CellReference {
  std::int32_t dataset = 0;
  std::int64_t cell = 0;
};

/// What a model is trained on: the cells of one or more data sets, split into training and held-out cells,
/// and the vocabulary over the union of their genes. The same on every rank.
class Corpus {
 public:
  /// \param validation_fraction of every data set's cells held out, rounded; at least one if positive, and at
  /// least one
  ///        cell of every data set stays for training
  /// \throws InputError if there is no data set, or one without cells or genes
  Corpus(std::vector<data::Expression> datasets, double validation_fraction, std::uint64_t seed);

  std::size_t dataset_count() const { return datasets_.size(); }
  const data::Expression& dataset(std::int32_t index) const {
    return datasets_[static_cast<std::size_t>(index)];
  }

  /// <pad>, <cls>, <eoc> and every gene of every data set, sorted.
  const data::Vocabulary& vocabulary() const { return vocabulary_; }
  std::int64_t pad_id() const { return pad_id_; }
  /// Token of every gene of a data set.
  const std::vector<std::int64_t>& gene_ids(std::int32_t dataset) const;

  /// Cells to learn from, ordered by data set, and those of one data set.
  const std::vector<CellReference>& training_cells() const { return training_; }
  std::span<const CellReference> training_cells(std::int32_t dataset) const;
  /// Held-out cells of all data sets in random order.
  const std::vector<CellReference>& validation_cells() const { return validation_; }

  /// Mean of every gene of a data set over its training cells: the predictor to beat.
  const std::vector<float>& gene_means(std::int32_t dataset) const;
  /// 0.999 quantile of the non-zero training values: the range in which a model of this corpus has seen
  /// values.
  double value_max() const { return value_max_; }
  std::int64_t largest_gene_count() const;
  /// Identifies genes and values of all data sets, in order: 64 hexadecimal digits.
  std::string sha256() const;

 private:
  void split(double validation_fraction, std::uint64_t seed);
  void measure();

  std::vector<data::Expression> datasets_;
  data::Vocabulary vocabulary_;
  std::int64_t pad_id_ = 0;
  std::vector<std::vector<std::int64_t>> gene_ids_;
  std::vector<std::vector<float>> gene_means_;
  std::vector<CellReference> training_;
  std::vector<std::size_t> training_begin_;  ///< per data set, and the end
  std::vector<CellReference> validation_;
  double value_max_ = 0.0;
};

}  // namespace regulus::pretrain

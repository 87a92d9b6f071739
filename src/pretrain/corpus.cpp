#include "regulus/pretrain/corpus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "regulus/core/error.h"
#include "regulus/core/random.h"
#include "regulus/core/sha256.h"

namespace regulus::pretrain {

namespace {

constexpr double kValueQuantile = 0.999;

void check(const std::vector<data::Expression>& datasets) {
  if (datasets.empty()) throw InputError("there is no expression to train on", "--expression");
  for (std::size_t i = 0; i < datasets.size(); ++i)
    if (datasets[i].cell_count() == 0 || datasets[i].gene_count() == 0)
      throw InputError(fmt::format("data set {} has no cells or no genes", i + 1), "--expression");
}

data::Vocabulary build_vocabulary(const std::vector<data::Expression>& datasets) {
  std::set<std::string> genes;
  for (const auto& dataset : datasets) genes.insert(dataset.genes.begin(), dataset.genes.end());
  std::vector<std::string> tokens{"<pad>", "<cls>", "<eoc>"};
  for (const auto& special : tokens) genes.erase(special);
  tokens.insert(tokens.end(), genes.begin(), genes.end());
  return data::Vocabulary(std::move(tokens));
}

std::vector<std::int64_t> ids_of(const data::Vocabulary& vocabulary, const std::vector<std::string>& genes) {
  std::vector<std::int64_t> ids;
  ids.reserve(genes.size());
  for (const auto& gene : genes) ids.push_back(vocabulary.find(gene).value());
  return ids;
}

std::int64_t held_out(std::int64_t cells, double fraction) {
  if (fraction <= 0.0) return 0;
  const std::int64_t wanted = std::max<std::int64_t>(1, std::llround(fraction * static_cast<double>(cells)));
  return std::min(wanted, cells - 1);
}

double quantile(std::vector<float> values, double q) {
  if (values.empty()) return 0.0;
  const auto rank = static_cast<std::ptrdiff_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

template <typename T>
std::string hash_of(const std::vector<T>& values) {
  return sha256(values.data(), values.size() * sizeof(T));
}

}  // namespace

Corpus::Corpus(std::vector<data::Expression> datasets, double validation_fraction, std::uint64_t seed)
    : datasets_(std::move(datasets)), vocabulary_((check(datasets_), build_vocabulary(datasets_))) {
  pad_id_ = vocabulary_.find("<pad>").value();
  for (const auto& dataset : datasets_) gene_ids_.push_back(ids_of(vocabulary_, dataset.genes));
  split(validation_fraction, seed);
  measure();
}

void Corpus::split(double validation_fraction, std::uint64_t seed) {
  for (std::size_t d = 0; d < datasets_.size(); ++d) {
    const std::int64_t cells = datasets_[d].cell_count();
    std::vector<bool> out(static_cast<std::size_t>(cells), false);
    RandomStream random(seed, "pretrain.validation.cells", d);
    for (const std::int64_t cell : random.sample(cells, held_out(cells, validation_fraction)))
      out[static_cast<std::size_t>(cell)] = true;
    training_begin_.push_back(training_.size());
    for (std::int64_t cell = 0; cell < cells; ++cell)
      (out[static_cast<std::size_t>(cell)] ? validation_ : training_)
          .push_back({static_cast<std::int32_t>(d), cell});
  }
  training_begin_.push_back(training_.size());
  const std::vector<CellReference> ordered = validation_;
  const auto order =
      RandomStream(seed, "pretrain.validation.order").permutation(static_cast<std::int64_t>(ordered.size()));
  for (std::size_t i = 0; i < ordered.size(); ++i)
    validation_[i] = ordered[static_cast<std::size_t>(order[i])];
}

void Corpus::measure() {
  std::vector<float> values;
  for (std::size_t d = 0; d < datasets_.size(); ++d) {
    const auto& dataset = datasets_[d];
    std::vector<double> sums(dataset.genes.size(), 0.0);
    const auto cells = training_cells(static_cast<std::int32_t>(d));
    for (const auto& reference : cells) {
      const auto row = static_cast<std::size_t>(reference.cell);
      for (auto k = static_cast<std::size_t>(dataset.row_begin[row]);
           k < static_cast<std::size_t>(dataset.row_begin[row + 1]); ++k) {
        sums[static_cast<std::size_t>(dataset.column[k])] += static_cast<double>(dataset.value[k]);
        values.push_back(dataset.value[k]);
      }
    }
    std::vector<float> means(sums.size());
    std::transform(sums.begin(), sums.end(), means.begin(),
                   [&](double sum) { return static_cast<float>(sum / static_cast<double>(cells.size())); });
    gene_means_.push_back(std::move(means));
  }
  value_max_ = quantile(std::move(values), kValueQuantile);
}

const std::vector<std::int64_t>& Corpus::gene_ids(std::int32_t dataset) const {
  return gene_ids_[static_cast<std::size_t>(dataset)];
}

const std::vector<float>& Corpus::gene_means(std::int32_t dataset) const {
  return gene_means_[static_cast<std::size_t>(dataset)];
}

std::span<const CellReference> Corpus::training_cells(std::int32_t dataset) const {
  const auto d = static_cast<std::size_t>(dataset);
  return std::span(training_).subspan(training_begin_[d], training_begin_[d + 1] - training_begin_[d]);
}

std::int64_t Corpus::largest_gene_count() const {
  std::int64_t largest = 0;
  for (const auto& dataset : datasets_) largest = std::max(largest, dataset.gene_count());
  return largest;
}

std::string Corpus::sha256() const {
  std::string parts;
  for (const auto& dataset : datasets_) {
    std::string names;
    for (const auto& gene : dataset.genes) names += gene + '\n';
    parts += regulus::sha256(names.data(), names.size()) + hash_of(dataset.row_begin) +
             hash_of(dataset.column) + hash_of(dataset.value);
  }
  return regulus::sha256(parts.data(), parts.size());
}

}  // namespace regulus::pretrain

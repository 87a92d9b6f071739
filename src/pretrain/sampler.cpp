#include "regulus/pretrain/sampler.h"

#include <algorithm>
#include <cmath>

#include "regulus/core/error.h"

namespace regulus::pretrain {

namespace {

void check(const SamplerOptions& options) {
  if (options.panel < 2) throw OptionError("a panel needs at least 2 genes", "--panel");
  if (!(options.mask > 0.0 && options.mask < 1.0))
    throw OptionError("must be above 0 and below 1", "--mask",
                      "it is the share of the panel to be predicted");
  if (!(options.corrupt >= 0.0 && options.corrupt <= 1.0))
    throw OptionError("must be in [0, 1]", "--corrupt");
  if (!(options.expressed_share >= 0.0 && options.expressed_share <= 1.0))
    throw OptionError("must be in [0, 1]", "--expressed-share");
}

std::int64_t rounded(double share, std::int64_t count) {
  return std::llround(share * static_cast<double>(count));
}

/// Genes that a cell expresses, as a range of the data set's `column`.
std::span<const std::int32_t> expressed_genes(const data::Expression& dataset, std::int64_t cell) {
  const auto row = static_cast<std::size_t>(cell);
  const auto begin = static_cast<std::size_t>(dataset.row_begin[row]);
  const auto end = static_cast<std::size_t>(dataset.row_begin[row + 1]);
  return std::span(dataset.column).subspan(begin, end - begin);
}

float value_of(const data::Expression& dataset, std::int64_t cell, std::int64_t gene) {
  const auto genes = expressed_genes(dataset, cell);
  const auto found = std::lower_bound(genes.begin(), genes.end(), gene);
  if (found == genes.end() || *found != gene) return 0.0F;
  const auto offset = static_cast<std::size_t>(found - genes.begin());
  return dataset.value[static_cast<std::size_t>(dataset.row_begin[static_cast<std::size_t>(cell)]) + offset];
}

template <typename T>
const T& pick(std::span<const T> items, RandomStream& random) {
  return items[random.below(items.size())];
}

}  // namespace

Sampler::Sampler(const Corpus& corpus, const SamplerOptions& options) : corpus_(corpus), options_(options) {
  check(options);
}

std::int64_t Sampler::panel_length() const {
  return std::min(options_.panel, corpus_.largest_gene_count());
}

std::int64_t Sampler::masked_of(std::int64_t length) const {
  return std::clamp<std::int64_t>(rounded(options_.mask, length), 1, length);
}

MaskedLeaf Sampler::training_leaf(std::int64_t first, std::int64_t samples) const {
  std::vector<Draw> draws;
  for (std::int64_t i = first; i < first + samples; ++i) {
    RandomStream random(options_.seed, "pretrain.sample", static_cast<std::uint64_t>(i));
    const CellReference cell = draw_cell(random);
    draws.push_back(draw(cell, random));
  }
  return assemble(std::move(draws));
}

MaskedLeaf Sampler::validation_leaf(std::int64_t first, std::int64_t samples) const {
  const auto& cells = corpus_.validation_cells();
  std::vector<Draw> draws;
  for (std::int64_t i = first; i < first + samples; ++i) {
    const RandomStream random(options_.seed, "pretrain.validation.sample", static_cast<std::uint64_t>(i));
    draws.push_back(draw(cells[static_cast<std::size_t>(i) % cells.size()], random));
  }
  return assemble(std::move(draws));
}

CellReference Sampler::draw_cell(RandomStream& random) const {
  if (!options_.balance_datasets) return pick(std::span(corpus_.training_cells()), random);
  return pick(corpus_.training_cells(static_cast<std::int32_t>(random.below(corpus_.dataset_count()))),
              random);
}

Sampler::Draw Sampler::draw(CellReference cell, RandomStream random) const {
  Draw result{cell, {}, random};
  result.genes = draw_panel(cell, result.random);
  return result;
}

std::vector<std::int64_t> Sampler::draw_panel(const CellReference& cell, RandomStream& random) const {
  const auto& dataset = corpus_.dataset(cell.dataset);
  const std::int64_t panel = std::min(options_.panel, dataset.gene_count());
  const auto expressed = expressed_genes(dataset, cell.cell);
  const auto available = static_cast<std::int64_t>(expressed.size());
  std::vector<std::int64_t> genes;
  std::vector<bool> chosen(dataset.genes.size(), false);
  for (const auto i :
       random.sample(available, std::min(available, rounded(options_.expressed_share, panel)))) {
    genes.push_back(expressed[static_cast<std::size_t>(i)]);
    chosen[static_cast<std::size_t>(genes.back())] = true;
  }
  std::vector<std::int64_t> others;
  for (std::int64_t gene = 0; gene < dataset.gene_count(); ++gene)
    if (!chosen[static_cast<std::size_t>(gene)]) others.push_back(gene);
  const std::int64_t missing = panel - static_cast<std::int64_t>(genes.size());
  for (const auto i : random.sample(static_cast<std::int64_t>(others.size()), missing))
    genes.push_back(others[static_cast<std::size_t>(i)]);
  return genes;
}

MaskedLeaf Sampler::assemble(std::vector<Draw> draws) const {
  MaskedLeaf leaf;
  leaf.samples = static_cast<std::int64_t>(draws.size());
  for (const auto& draw : draws)
    leaf.length = std::max(leaf.length, static_cast<std::int64_t>(draw.genes.size()));
  const auto positions = static_cast<std::size_t>(leaf.samples * leaf.length);
  leaf.gene_ids.assign(positions, corpus_.pad_id());
  leaf.shown.assign(positions, options_.pad_value);
  leaf.truth.assign(positions, 0.0F);
  leaf.gene_mean.assign(positions, 0.0F);
  leaf.masked.assign(positions, 0.0F);
  leaf.padding.assign(positions, 1);
  for (std::int64_t row = 0; row < leaf.samples; ++row) {
    auto& draw = draws[static_cast<std::size_t>(row)];
    place(leaf, row, draw);
    mask(leaf, row, draw);
  }
  return leaf;
}

void Sampler::place(MaskedLeaf& leaf, std::int64_t row, Draw& draw) const {
  const auto& dataset = corpus_.dataset(draw.cell.dataset);
  const auto& ids = corpus_.gene_ids(draw.cell.dataset);
  const auto& means = corpus_.gene_means(draw.cell.dataset);
  auto at = static_cast<std::size_t>(row * leaf.length);
  for (const std::int64_t gene : draw.genes) {
    leaf.gene_ids[at] = ids[static_cast<std::size_t>(gene)];
    leaf.gene_mean[at] = means[static_cast<std::size_t>(gene)];
    leaf.truth[at] = leaf.shown[at] = value_of(dataset, draw.cell.cell, gene);
    leaf.padding[at] = 0;
    ++at;
  }
  leaf.padded = leaf.padded || static_cast<std::int64_t>(draw.genes.size()) < leaf.length;
}

void Sampler::mask(MaskedLeaf& leaf, std::int64_t row, Draw& draw) const {
  const auto length = static_cast<std::int64_t>(draw.genes.size());
  const std::int64_t masked = masked_of(length);
  const std::int64_t corrupted = rounded(options_.corrupt, masked);
  const auto positions = draw.random.sample(length, masked);
  for (std::int64_t i = 0; i < masked; ++i) {
    const auto position = static_cast<std::size_t>(positions[static_cast<std::size_t>(i)]);
    const auto at = static_cast<std::size_t>(row * leaf.length) + position;
    leaf.masked[at] = 1.0F;
    leaf.shown[at] = options_.mask_value;
    if (i >= corrupted) continue;
    const auto& other = pick(corpus_.training_cells(draw.cell.dataset), draw.random);
    leaf.shown[at] = value_of(corpus_.dataset(other.dataset), other.cell, draw.genes[position]);
  }
  leaf.masked_count += masked;
}

}  // namespace regulus::pretrain

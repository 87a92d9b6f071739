#include "regulus/pretrain/initial_weights.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "regulus/comm/agree.h"
#include "regulus/core/error.h"
#include "regulus/core/random.h"

namespace regulus::pretrain {

namespace {

constexpr double kEmbeddingScale = 0.2;        // standard deviation of an embedding row
constexpr double kAttentionGain = 2.5;         // of query and key weights
constexpr std::size_t kMostCells = 1000;       // of a data set, for the correlation
constexpr std::int64_t kIterations = 10;       // of the subspace iteration
constexpr std::int64_t kExtraDirections = 16;  // beyond the embedding's width, for its convergence

/// One data set's standardised training cells as an operator: never dense.
class StandardisedCells {
 public:
  StandardisedCells(const Corpus& corpus, std::int32_t dataset)
      : expression_(corpus.dataset(dataset)), ids_(corpus.gene_ids(dataset)) {
    const auto cells = corpus.training_cells(dataset);
    for (std::size_t k = 0; k < std::min(kMostCells, cells.size()); ++k)
      cells_.push_back(cells[k * cells.size() / std::min(kMostCells, cells.size())].cell);
    measure();
  }

  const std::vector<std::int64_t>& gene_ids() const { return ids_; }

  /// out += scale ∘ ZᵀZ (scale ∘ in) / cells, on rows by token id. \param scale per token \param in, out [V,
  /// k]
  void add_correlation(const std::vector<double>& scale, const at::Tensor& in, at::Tensor& out) const {
    const std::int64_t k = in.size(1);
    const at::Tensor rows = at::empty({static_cast<std::int64_t>(ids_.size()), k}, at::kDouble);
    std::vector<double> offset(static_cast<std::size_t>(k), 0.0);  // Σ_g mean_g/sd_g in_g
    for (std::size_t g = 0; g < ids_.size(); ++g)
      for (std::int64_t j = 0; j < k; ++j) {
        const double weighted =
            at_row(in, ids_[g])[j] * scale[static_cast<std::size_t>(ids_[g])] * inverse_sd_[g];
        at_row(rows, static_cast<std::int64_t>(g))[j] = weighted;
        offset[static_cast<std::size_t>(j)] += mean_[g] * weighted;
      }
    const at::Tensor sums = at::zeros_like(rows);
    std::vector<double> total(static_cast<std::size_t>(k), 0.0);
    for (const std::int64_t cell : cells_) add_cell(cell, rows, offset, sums, total);
    for (std::size_t g = 0; g < ids_.size(); ++g) {
      const double factor =
          scale[static_cast<std::size_t>(ids_[g])] * inverse_sd_[g] / static_cast<double>(cells_.size());
      for (std::int64_t j = 0; j < k; ++j)
        at_row(out, ids_[g])[j] += factor * (at_row(sums, static_cast<std::int64_t>(g))[j] -
                                             mean_[g] * total[static_cast<std::size_t>(j)]);
    }
  }

 private:
  static double* at_row(const at::Tensor& matrix, std::int64_t row) {
    return matrix.data_ptr<double>() + row * matrix.size(1);
  }

  template <typename Visit>
  void for_each_value(std::int64_t cell, Visit visit) const {
    for (auto n = expression_.row_begin[static_cast<std::size_t>(cell)];
         n < expression_.row_begin[static_cast<std::size_t>(cell) + 1]; ++n)
      visit(expression_.column[static_cast<std::size_t>(n)],
            static_cast<double>(expression_.value[static_cast<std::size_t>(n)]));
  }

  void measure() {
    mean_.assign(ids_.size(), 0.0);
    std::vector<double> square(ids_.size(), 0.0);
    for (const std::int64_t cell : cells_)
      for_each_value(cell, [&](std::int32_t gene, double value) {
        mean_[static_cast<std::size_t>(gene)] += value / static_cast<double>(cells_.size());
        square[static_cast<std::size_t>(gene)] += value * value / static_cast<double>(cells_.size());
      });
    for (std::size_t g = 0; g < ids_.size(); ++g) {
      const double variance = square[g] - mean_[g] * mean_[g];
      inverse_sd_.push_back(variance > 1e-12 ? 1.0 / std::sqrt(variance) : 0.0);
    }
  }

  /// Adds x_c (z_c · in) to the sums over cells, and z_c · in to the total.
  void add_cell(std::int64_t cell, const at::Tensor& rows, const std::vector<double>& offset,
                const at::Tensor& sums, std::vector<double>& total) const {
    std::vector<double> projection(offset.size());
    std::transform(offset.begin(), offset.end(), projection.begin(), [](double value) { return -value; });
    for_each_value(cell, [&](std::int32_t gene, double value) {
      const double* row = at_row(rows, gene);
      for (std::size_t j = 0; j < projection.size(); ++j) projection[j] += value * row[j];
    });
    for_each_value(cell, [&](std::int32_t gene, double value) {
      double* sum = at_row(sums, gene);
      for (std::size_t j = 0; j < projection.size(); ++j) sum[j] += value * projection[j];
    });
    for (std::size_t j = 0; j < projection.size(); ++j) total[j] += projection[j];
  }

  const data::Expression& expression_;
  const std::vector<std::int64_t>& ids_;
  std::vector<std::int64_t> cells_;
  std::vector<double> mean_, inverse_sd_;
};

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed, const char* purpose) {
  RandomStream random(seed, purpose);
  at::Tensor matrix = at::empty({rows, columns}, at::kDouble);
  for (std::int64_t k = 0; k < matrix.numel(); ++k) matrix.data_ptr<double>()[k] = random.normal();
  return matrix;
}

at::Tensor orthonormal(const at::Tensor& matrix) {
  return std::get<0>(at::linalg_qr(matrix)).contiguous();
}

/// Leading eigenvectors times the roots of their eigenvalues, of the correlation averaged over data sets:
/// each gene weighs 1/√(data sets that have it). Subspace iteration with a Rayleigh-Ritz step. \return [V,
/// width]
at::Tensor coexpression_directions(const Corpus& corpus, std::int64_t width, std::uint64_t seed) {
  std::vector<StandardisedCells> datasets;
  std::vector<double> scale(static_cast<std::size_t>(corpus.vocabulary().size()), 0.0);
  for (std::size_t d = 0; d < corpus.dataset_count(); ++d) {
    datasets.emplace_back(corpus, static_cast<std::int32_t>(d));
    for (const std::int64_t id : datasets.back().gene_ids()) scale[static_cast<std::size_t>(id)] += 1.0;
  }
  for (double& s : scale) s = s > 0.0 ? 1.0 / std::sqrt(s) : 0.0;
  const auto correlate = [&](const at::Tensor& basis) {
    at::Tensor product = at::zeros_like(basis);
    for (const StandardisedCells& dataset : datasets) dataset.add_correlation(scale, basis, product);
    return product;
  };
  const std::int64_t directions = std::min(width + kExtraDirections, corpus.vocabulary().size());
  at::Tensor basis =
      orthonormal(random_matrix(corpus.vocabulary().size(), directions, seed, "pretrain.subspace"));
  for (std::int64_t k = 0; k < kIterations; ++k) basis = orthonormal(correlate(basis));
  const auto [values, vectors] = at::linalg_eigh(at::mm(basis.t(), correlate(basis)));
  const std::int64_t kept = std::min(width, directions);
  const at::Tensor leading = at::mm(basis, vectors.narrow(1, directions - kept, kept));
  const at::Tensor directions_scaled =
      leading * values.narrow(0, directions - kept, kept).clamp_min(0.0).sqrt();
  return at::constant_pad_nd(directions_scaled, {0, width - kept});
}

/// Rows of mean 0 and the embedding's scale; genes without any co-expression keep their random row.
void set_embeddings(const Corpus& corpus, const backbone::TransformerConfig& config, std::uint64_t seed,
                    backbone::StateDict& weights) {
  const at::Tensor rotation =
      orthonormal(random_matrix(config.width, config.width, seed, "pretrain.rotation"));
  at::Tensor rows = at::mm(coexpression_directions(corpus, config.width, seed), rotation);
  rows -= rows.mean(1, true);
  const at::Tensor spread = rows.std(1, false, true);
  const at::Tensor known = spread > 1e-9;
  const at::Tensor standardised = (rows / spread.clamp_min(1e-9) * kEmbeddingScale).to(at::kFloat);
  at::Tensor& embedding = weights.at("encoder.embedding.weight");
  embedding = at::where(known, standardised, embedding).contiguous();
}

/// Amplifies queries and keys and makes them equal. \param in_projection [3d, d], rows q | k | v
void tie_queries_and_keys(at::Tensor& in_projection) {
  const std::int64_t width = in_projection.size(1);
  at::Tensor query = in_projection.narrow(0, 0, width);
  query.mul_(kAttentionGain);
  in_projection.narrow(0, width, width).copy_(query);
}

backbone::StateDict coexpression_weights(const Corpus& corpus, const backbone::TransformerConfig& config,
                                         std::uint64_t seed) {
  backbone::StateDict weights = backbone::random_weights(config, seed);
  set_embeddings(corpus, config, seed, weights);
  for (std::int64_t k = 0; k < config.layers; ++k)
    tie_queries_and_keys(
        weights.at(fmt::format("transformer_encoder.layers.{}.self_attn.in_proj_weight", k)));
  return weights;
}

void broadcast(const comm::Communicator& comm, const backbone::TransformerConfig& config,
               backbone::StateDict& weights) {
  for (const auto& spec : backbone::weight_specs(config)) {
    std::vector<float> values;
    if (comm.is_root()) {
      const at::Tensor& weight = weights.at(spec.name);
      values.assign(weight.data_ptr<float>(), weight.data_ptr<float>() + weight.numel());
    }
    comm.broadcast(values);
    weights[spec.name] = at::tensor(values, at::kFloat).reshape(spec.shape);
  }
}

}  // namespace

Start parse_start(const std::string& text) {
  if (text == "random") return Start::Random;
  if (text == "coexpression") return Start::Coexpression;
  throw OptionError("'" + text + "' is neither random nor coexpression", "--start");
}

const char* to_string(Start start) {
  return start == Start::Random ? "random" : "coexpression";
}

backbone::StateDict initial_weights(const comm::Communicator& comm, const Corpus& corpus,
                                    const backbone::TransformerConfig& config, Start start,
                                    std::uint64_t seed) {
  if (start == Start::Random) return backbone::random_weights(config, seed);
  backbone::StateDict weights;
  comm::agree_on_root(comm, "analysing co-expression",
                      [&] { weights = coexpression_weights(corpus, config, seed); });
  broadcast(comm, config, weights);
  return weights;
}

}  // namespace regulus::pretrain

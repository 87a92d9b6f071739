#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "regulus/backbone/predict.h"
#include "regulus/probe/probe_job.h"

namespace regulus::test {

/// The features as their formulas say, in float64, from forward passes alone: derivatives are central
/// differences.
class Definitions {
 public:
  Definitions(const backbone::Model& model, const probe::ProbeJob& job)
      : job_(job), config_(model.config), weights_(backbone::convert(model.weights, at::kDouble)) {}

  /// [G] 𝓜 of a row of values with position i at v.
  at::Tensor respond(const float* row, std::int64_t i, double v) const {
    at::Tensor values = at::empty({1, job_.gene_count()}, at::kDouble);
    for (std::int64_t j = 0; j < job_.gene_count(); ++j) values[0][j] = static_cast<double>(row[j]);
    values[0][i] = v;
    std::vector<std::int64_t> ids = job_.gene_ids;
    if (job_.cls_id) {
      ids.insert(ids.begin(), *job_.cls_id);
      values = at::cat({at::full({1, 1}, job_.cls_value, at::kDouble), values}, 1);
    }
    const at::Tensor output = backbone::predict(config_, weights_, at::tensor(ids).unsqueeze(0), values)[0];
    return output.narrow(0, job_.cls_id ? 1 : 0, job_.gene_count());
  }

  at::Tensor slope(const float* row, std::int64_t i, double v) const {
    constexpr double h = 1e-5;
    return (respond(row, i, v + h) - respond(row, i, v - h)) / (2.0 * h);
  }

  /// [G, M] of source s.
  at::Tensor vvp(std::int64_t s) const {
    return mean_over_backgrounds(s, job_.perturbation_grid, [&](const float* row, std::int64_t i, double p) {
      return respond(row, i, p) - respond(row, i, job_.v_b);
    });
  }

  /// [G, T] of source s.
  at::Tensor gdt(std::int64_t s) const {
    return mean_over_backgrounds(
        s, job_.gradient_grid, [&](const float* row, std::int64_t i, double b) { return slope(row, i, b); });
  }

  /// [G, 4] of source s.
  at::Tensor osg(std::int64_t s) const {
    const std::int64_t i = job_.sources.at(static_cast<std::size_t>(s));
    std::vector<at::Tensor> slopes;
    std::vector<at::Tensor> weighted;
    for (std::int64_t c = 0; c < job_.cells.rows(); ++c) {
      const double x = static_cast<double>(job_.cells.row(c)[i]);
      slopes.push_back(slope(job_.cells.row(c), i, x));
      weighted.push_back(slopes.back() * x);
    }
    const at::Tensor j = at::stack(slopes);
    return at::stack({j.mean(0), j.abs().mean(0), j.std(0, false), at::stack(weighted).mean(0)}, 1);
  }

 private:
  template <typename Feature>
  at::Tensor mean_over_backgrounds(std::int64_t s, const std::vector<double>& grid, Feature feature) const {
    const std::int64_t i = job_.sources.at(static_cast<std::size_t>(s));
    std::vector<at::Tensor> columns;
    for (const double value : grid) {
      at::Tensor sum = at::zeros({job_.gene_count()}, at::kDouble);
      for (std::int64_t b = 0; b < job_.backgrounds.rows(); ++b)
        sum += feature(job_.backgrounds.row(b), i, value);
      columns.push_back(sum / static_cast<double>(job_.backgrounds.rows()));
    }
    return at::stack(columns, 1);
  }

  const probe::ProbeJob& job_;
  backbone::TransformerConfig config_;
  backbone::StateDict weights_;
};

}  // namespace regulus::test

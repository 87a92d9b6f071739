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
  at::Tensor vvp(std::int64_t s) const { return vvp(s, mean); }
  at::Tensor vvp_sd(std::int64_t s) const { return vvp(s, deviation); }

  /// [G, T] of source s.
  at::Tensor gdt(std::int64_t s) const {
    return over_backgrounds(s, job_.gradient_grid, mean,
                            [&](const float* row, std::int64_t i, double b) { return slope(row, i, b); });
  }

  /// [G, T] of source s, every gene at the grid's value.
  at::Tensor uniform_gdt(std::int64_t s) const {
    std::vector<at::Tensor> columns;
    for (const double value : job_.gradient_grid) {
      const std::vector<float> row(job_.genes.size(), static_cast<float>(value));
      columns.push_back(slope(row.data(), job_.sources.at(static_cast<std::size_t>(s)), value));
    }
    return at::stack(columns, 1);
  }

  /// [G, 1] of source s.
  at::Tensor pert(std::int64_t s) const {
    const std::int64_t i = job_.sources.at(static_cast<std::size_t>(s));
    const auto own = static_cast<double>(job_.mean[static_cast<std::size_t>(i)]);
    return (respond(job_.mean.data(), i, own) - respond(job_.mean.data(), i, 0.0)).unsqueeze(1);
  }

  /// [G, 4] of source s.
  at::Tensor osg(std::int64_t s) const {
    const std::int64_t i = job_.sources.at(static_cast<std::size_t>(s));
    std::vector<at::Tensor> slopes;
    std::vector<at::Tensor> weighted;
    for (std::int64_t c = 0; c < job_.cells->count(); ++c) {
      const std::vector<float> cell = job_.cells->read(c, c + 1);
      const double x = static_cast<double>(cell[static_cast<std::size_t>(i)]);
      slopes.push_back(slope(cell.data(), i, x));
      weighted.push_back(slopes.back() * x);
    }
    const at::Tensor j = at::stack(slopes);
    return at::stack({j.mean(0), j.abs().mean(0), j.std(0, false), at::stack(weighted).mean(0)}, 1);
  }

 private:
  static at::Tensor mean(const at::Tensor& rows) { return rows.mean(0); }
  static at::Tensor deviation(const at::Tensor& rows) { return rows.std(0, false); }

  template <typename Summarise>
  at::Tensor vvp(std::int64_t s, Summarise summarise) const {
    return over_backgrounds(s, job_.perturbation_grid, summarise,
                            [&](const float* row, std::int64_t i, double p) {
                              return respond(row, i, p) - respond(row, i, job_.v_b);
                            });
  }

  template <typename Summarise, typename Feature>
  at::Tensor over_backgrounds(std::int64_t s, const std::vector<double>& grid, Summarise summarise,
                              Feature feature) const {
    const std::int64_t i = job_.sources.at(static_cast<std::size_t>(s));
    std::vector<at::Tensor> columns;
    for (const double value : grid) {
      std::vector<at::Tensor> rows;
      for (std::int64_t b = 0; b < job_.backgrounds->count(); ++b)
        rows.push_back(feature(job_.backgrounds->read(b, b + 1).data(), i, value));
      columns.push_back(summarise(at::stack(rows)));
    }
    return at::stack(columns, 1);
  }

  const probe::ProbeJob& job_;
  backbone::TransformerConfig config_;
  backbone::StateDict weights_;
};

}  // namespace regulus::test

#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/backbone/backbone.h"
#include "regulus/probe/probe_job.h"
#include "states.h"

namespace regulus::probe {

/// VVP and GDT of some sources of a tile over one background, with their grids merged: where they share a
/// value, one dual pass gives both.
class GridResponses {
 public:
  GridResponses(const ProbeJob& job, const TilePanel& panel, SourceRange sources);

  /// \param pass the tile's panel, open over background `row` \param values [L] that background
  /// \throws ModelError on a response that is not finite
  void compute(backbone::PanelPass& pass, const std::vector<float>& values, std::int64_t row);

  const std::vector<double>& vvp() const { return vvp_; }  ///< [sources, targets, M], empty if not asked for
  const std::vector<double>& gdt() const { return gdt_; }  ///< [sources, targets, T], empty if not asked for

 private:
  /// A value of the merged grid and the columns that it fills.
  struct GridValue {
    double value = 0.0;
    std::vector<std::size_t> vvp_columns, gdt_columns;
  };
  using Columns = std::vector<std::size_t> GridValue::*;

  void merge_grids();
  GridValue& grid_value(double value);
  std::size_t offset(const State& state, std::size_t width) const;
  void run_dual(backbone::PanelPass& pass, const State* states, std::int64_t n);
  void run_forward(backbone::PanelPass& pass, const State* states, std::int64_t n);
  void scatter(const at::Tensor& rows, const State* states, Columns columns, std::vector<double>& out) const;
  void subtract_reference(backbone::PanelPass& pass, const std::vector<float>& background);
  void subtract(const at::Tensor& rows, const State* states);
  bool is_at_v_b(const State& state, const std::vector<float>& background) const;

  const ProbeJob& job_;
  const TilePanel& panel_;
  SourceRange sources_;
  TileStates tile_;
  std::string what_;
  std::vector<GridValue> grid_;
  std::vector<double> vvp_, gdt_;
};

}  // namespace regulus::probe

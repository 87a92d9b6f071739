#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace regulus::probe {

/// Rows of input values over the G genes of a panel, one per background or cell.
struct ValueRows {
  std::int64_t genes = 0;
  std::vector<float> values;  ///< [rows, G]

  std::int64_t rows() const { return genes == 0 ? 0 : static_cast<std::int64_t>(values.size()) / genes; }
  const float* row(std::int64_t index) const { return values.data() + index * genes; }
};

/// Everything that decides the features of a run, apart from the model: the same on every rank.
struct ProbeJob {
  std::vector<std::string> genes;      ///< G names: the panel, and the targets
  std::vector<std::int64_t> gene_ids;  ///< [G] token ids
  std::vector<std::int64_t> sources;   ///< [S] positions in `genes`
  std::optional<std::int64_t> cls_id;  ///< token that leads the panel, if any
  double cls_value = 0.0;

  bool vvp = false, gdt = false, osg = false, emb = false;  ///< features asked for
  std::vector<double> perturbation_grid;                    ///< M values p_m of VVP
  std::vector<double> gradient_grid;                        ///< T values b_t of GDT
  double v_b = 0.0;                                         ///< value of the source in VVP's reference state
  ValueRows backgrounds;  ///< of VVP and GDT: features are averaged over the rows
  ValueRows cells;        ///< of OSG

  std::int64_t sources_per_tile = 8;
  std::int64_t cells_per_unit = 4;  ///< rows of backgrounds or cells in one unit of work

  std::int64_t gene_count() const { return static_cast<std::int64_t>(genes.size()); }
  std::int64_t source_count() const { return static_cast<std::int64_t>(sources.size()); }
  std::int64_t tile_count() const { return (source_count() + sources_per_tile - 1) / sources_per_tile; }
};

}  // namespace regulus::probe

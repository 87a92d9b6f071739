#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "regulus/probe/value_rows.h"
#include "regulus/storage/tile_plan.h"

namespace regulus::probe {

/// Everything that decides the features of a run, apart from the model: the same on every rank.
struct ProbeJob {
  std::vector<std::string> genes;      ///< G names: the targets
  std::vector<std::int64_t> gene_ids;  ///< [G] token ids
  std::vector<std::int64_t> sources;   ///< [S] positions in `genes`
  std::optional<std::int64_t> cls_id;  ///< token that leads every panel, if any
  double cls_value = 0.0;

  bool vvp = false, gdt = false, osg = false, pert = false, attn = false, emb = false;  ///< asked for
  bool uniform = false;  ///< gdt with every gene at the grid's value, not the source alone
  bool spread = false;   ///< also the standard deviation of vvp, gdt and attn over the backgrounds
  std::int64_t attention_width = 1;       ///< of attn: 1 for the last layer, else every layer of the model
  std::vector<double> perturbation_grid;  ///< M values p_m of VVP
  std::vector<double> gradient_grid;      ///< T values b_t of GDT
  double v_b = 0.0;                       ///< value of the source in VVP's reference state
  bool reference_is_background = false;   ///< every gene of the backgrounds is at v_b (background `virtual`)

  /// Of VVP, GDT (unless uniform) and Attn: features are averaged over the rows.
  std::shared_ptr<const ValueRows> backgrounds = std::make_shared<FixedRows>();
  std::shared_ptr<const ValueRows> cells = std::make_shared<FixedRows>();  ///< of OSG
  std::vector<float> mean;                                                 ///< [G] x̄ of Pert

  std::int64_t sources_per_tile = 8;
  std::int64_t targets_per_tile = 0;  ///< 0: plan `single`, every target in one panel
  /// Sources of a tile that one part has against a background: the states of one call of the model, so that
  /// the bits do not depend on how parts are shared out.
  std::int64_t sources_per_part = 8;

  std::int64_t gene_count() const { return static_cast<std::int64_t>(genes.size()); }
  std::int64_t source_count() const { return static_cast<std::int64_t>(sources.size()); }
  storage::TilePlan plan() const {
    return {source_count(), gene_count(), sources_per_tile, targets_per_tile};
  }
  bool gdt_on_backgrounds() const { return gdt && !uniform; }
  bool needs_backgrounds() const { return vvp || gdt_on_backgrounds() || attn; }
};

}  // namespace regulus::probe

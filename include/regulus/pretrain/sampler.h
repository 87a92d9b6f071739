#pragma once

#include <cstdint>
#include <vector>

#include "regulus/core/random.h"
#include "regulus/pretrain/corpus.h"

namespace regulus::pretrain {

/// How a training sample is drawn from a corpus.
struct SamplerOptions {
  std::int64_t panel = 160;  ///< genes shown at once (fewer where a data set has fewer)
  double mask = 0.4;         ///< share of the panel to be predicted
  double corrupt = 0.0;      ///< share of these that show another cell's value instead of the mask value
  double expressed_share =
      2.0 / 3.0;                  ///< of the panel drawn from the cell's expressed genes while there are any
  bool balance_datasets = false;  ///< every data set equally often, rather than every cell
  float mask_value = -1.0F;
  float pad_value = -2.0F;
  std::uint64_t seed = 0;
};

/// A rectangular batch of masked panels, [samples x length] row by row in every vector.
struct MaskedLeaf {
  std::int64_t samples = 0;
  std::int64_t length = 0;
  bool padded = false;  ///< whether any position is padding
  std::int64_t masked_count = 0;
  std::vector<std::int64_t> gene_ids;
  std::vector<float> shown;      ///< what the model sees: the value, the mask, pad or another cell's value
  std::vector<float> truth;      ///< the cell's value; 0 at padding
  std::vector<float> gene_mean;  ///< of the gene over the data set's training cells; 0 at padding
  std::vector<float> masked;     ///< 1 where the value is to be predicted, else 0
  std::vector<std::uint8_t> padding;  ///< 1 at padding
};

/// Draws masked panels. Sample number i depends on the corpus, the options and i alone, so any rank may draw
/// it.
class Sampler {
 public:
  /// \param corpus must outlive the sampler
  /// \throws OptionError if an option is out of range
  Sampler(const Corpus& corpus, const SamplerOptions& options);

  /// Training samples [first, first + samples); a step's samples follow those of the step before.
  MaskedLeaf training_leaf(std::int64_t first, std::int64_t samples) const;
  /// Validation samples [first, first + samples): held-out cells in turn. The corpus must hold out some.
  MaskedLeaf validation_leaf(std::int64_t first, std::int64_t samples) const;

  const SamplerOptions& options() const { return options_; }
  /// Longest panel that occurs.
  std::int64_t panel_length() const;
  /// Positions to predict in the longest panel.
  std::int64_t masked_per_panel() const { return masked_of(panel_length()); }

 private:
  struct Draw {
    CellReference cell;
    std::vector<std::int64_t> genes;  ///< indices into the data set's genes, distinct
    RandomStream random;              ///< the rest of the sample's numbers
  };

  CellReference draw_cell(RandomStream& random) const;
  Draw draw(CellReference cell, RandomStream random) const;
  std::vector<std::int64_t> draw_panel(const CellReference& cell, RandomStream& random) const;
  MaskedLeaf assemble(std::vector<Draw> draws) const;
  void place(MaskedLeaf& leaf, std::int64_t row, Draw& draw) const;
  void mask(MaskedLeaf& leaf, std::int64_t row, Draw& draw) const;
  std::int64_t masked_of(std::int64_t length) const;

  const Corpus& corpus_;
  SamplerOptions options_;
};

}  // namespace regulus::pretrain

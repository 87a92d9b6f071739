#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/data/expression.h"
#include "regulus/data/vocabulary.h"
#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// What became of the genes and sources asked for.
struct PanelReport {
  std::vector<std::string> unknown_genes;    ///< asked for, not in the model's vocabulary
  std::vector<std::string> unknown_sources;  ///< sources that are no gene of the panel
};

/// Fills the panel of a job (plan `single`: all genes in one panel, every source a member of it).
/// \param genes   genes asked for \param sources empty for all genes
/// \throws InputError if no gene is in the vocabulary, or no source in the panel
PanelReport set_panel(ProbeJob& job, const data::Vocabulary& vocabulary,
                      const std::vector<std::string>& genes, const std::vector<std::string>& sources);

/// Background `virtual`: one row with every gene at v_b.
ValueRows virtual_background(const ProbeJob& job);

/// Background `mean`: one row, the mean of every panel gene over all cells.
ValueRows mean_background(const ProbeJob& job, const data::Expression& expression);

/// `count` real cells drawn without replacement with the seed (all cells if there are fewer): the first n of
/// a larger sample are the sample of n. Panel genes that the expression lacks are an InputError.
ValueRows sample_cells(const ProbeJob& job, const data::Expression& expression, std::int64_t count,
                       std::uint64_t seed);

}  // namespace regulus::probe

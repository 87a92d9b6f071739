#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/data/cell_reader.h"
#include "regulus/data/gene_names.h"
#include "regulus/data/vocabulary.h"
#include "regulus/probe/probe_job.h"

namespace regulus::probe {

/// How names of genes become tokens of the model.
struct GeneNames {
  const data::Vocabulary& vocabulary;
  data::AliasTable aliases;
};

/// What became of the genes and sources asked for.
struct PanelReport {
  data::GeneMapping genes;                   ///< of the genes asked for
  std::vector<std::string> unknown_sources;  ///< sources that are no gene of the panel
};

/// Fills the panel of a job (plan `single`: all genes in one panel, every source a member of it). Sources are
/// found by their names among the genes, in upper case too, and by their tokens.
/// \param genes   genes asked for \param sources empty for all genes
/// \throws InputError if no gene is in the vocabulary, or no source in the panel
PanelReport set_panel(ProbeJob& job, const GeneNames& names, const std::vector<std::string>& genes,
                      const std::vector<std::string>& sources);

/// Where the panel's genes are in an expression file, by their tokens. \return [G] columns
/// \throws InputError naming a gene that is not there
std::vector<std::int64_t> columns_of_panel(const ProbeJob& job, const GeneNames& names,
                                           const data::CellReader& expression);

/// Background `virtual`: one row with every gene at v_b.
std::shared_ptr<const ValueRows> virtual_background(const ProbeJob& job);

/// `count` cells drawn from a pool without replacement with the seed (all of it if it is smaller),
/// increasing; a smaller sample is part of a larger one. \param pool numbers of cells, increasing
std::vector<std::int64_t> sample_cells(const std::vector<std::int64_t>& pool, std::int64_t count,
                                       std::uint64_t seed);

}  // namespace regulus::probe

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/data/expression.h"
#include "regulus/data/network.h"

namespace regulus::data {

/// What to simulate. The model of regulation is described in docs/simulation.md.
struct SimulationOptions {
  std::int64_t datasets = 3;
  std::int64_t genes = 200;   ///< of each data set, TFs included
  std::int64_t tfs = 32;      ///< of each data set
  std::int64_t cells = 2000;  ///< of each data set
  double shared = 0.5;        ///< share of the genes (and of the TFs) that all data sets have
  double regulators = 2.0;    ///< mean number of regulators of a gene that is no master
  double depth = 3.5;         ///< mean count per gene and cell, before dropout
  std::uint64_t seed = 0;
};

/// One regulation and its kinetics.
struct Regulation {
  std::int64_t source = 0, target = 0;  ///< genes of the universe
  double sign = 1.0;                    ///< +1 activates, -1 represses
  double fold = 1.0;                    ///< F: largest change of the target's rate
  double steepness = 2.0;               ///< h: Hill exponent
};

/// The genes of all data sets together and their regulations: a DAG in the order of `order`.
struct Universe {
  std::vector<std::string> genes;
  std::vector<std::int64_t> owner;  ///< the data set that has the gene, or -1 for all
  std::vector<bool> is_tf, is_master;
  std::vector<std::int64_t> order;  ///< every regulator before its targets
  std::vector<Regulation> regulations;
  std::vector<double> basal;  ///< b_j, expression without regulation
};

/// A simulated experiment: counts, the regulations among its genes, and its TFs.
struct SimulatedDataset {
  std::string name;
  Expression counts;
  Network network;
  std::vector<std::string> tfs;
};

/// \throws OptionError if the sizes do not fit together
Universe draw_universe(const SimulationOptions& options);

/// Cells of one data set of the universe. Data sets may be drawn in any order, on any rank.
SimulatedDataset draw_dataset(const SimulationOptions& options, const Universe& universe, std::int64_t index);

}  // namespace regulus::data

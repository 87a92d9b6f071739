#pragma once

#include <string>
#include <vector>

#include "regulus/translator/gene_filter.h"

namespace regulus::evaluate {

/// Which genes of the evaluated data set may form candidate pairs, in view of the translator's training.
enum class Setting {
  UnseenGenes,     ///< both genes were held out of the training data set
  UnseenDatasets,  ///< neither gene was seen in training
  AllGenes         ///< no restriction
};

/// "unseen-genes", "unseen-datasets", "all-genes": the column `setting` of the metrics.
std::string to_string(Setting setting);

/// Genes that took part in training, and those that were held out of it.
struct TrainingGenes {
  std::vector<std::string> seen, holdout;
};

/// The setting that an option value means for one data set.
/// \param text          unseen-genes | unseen-datasets | auto; auto is unseen-genes on a data set of the
/// training run that
///                      has held-out genes and unseen-datasets otherwise
/// \param trained_on    the data set was part of the training run
/// \param exclude_seen  false turns unseen-datasets into all-genes
/// \throws OptionError on another text; InputError on unseen-genes without held-out genes
Setting choose_setting(const std::string& text, bool trained_on, bool exclude_seen,
                       const TrainingGenes& genes);

/// The genes that the setting admits, as source and as target.
translator::GeneFilter genes_of(Setting setting, const TrainingGenes& genes);

}  // namespace regulus::evaluate

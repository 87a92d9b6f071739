#include "regulus/evaluate/setting.h"

#include "regulus/core/error.h"

namespace regulus::evaluate {

std::string to_string(Setting setting) {
  switch (setting) {
    case Setting::UnseenGenes:
      return "unseen-genes";
    case Setting::UnseenDatasets:
      return "unseen-datasets";
    case Setting::AllGenes:
      break;
  }
  return "all-genes";
}

Setting choose_setting(const std::string& text, bool trained_on, bool exclude_seen,
                       const TrainingGenes& genes) {
  if (text != "unseen-genes" && text != "unseen-datasets" && text != "auto")
    throw OptionError("unknown setting '" + text + "'", "--setting",
                      "use unseen-genes, unseen-datasets or auto");
  if (text == "unseen-genes" && genes.holdout.empty())
    throw InputError("the translator has no held-out genes", "--setting unseen-genes",
                     "train it with --holdout-genes, e.g. 0.3");
  const bool held_out = trained_on && !genes.holdout.empty();
  if (text == "unseen-genes" || (text == "auto" && held_out)) return Setting::UnseenGenes;
  return exclude_seen ? Setting::UnseenDatasets : Setting::AllGenes;
}

translator::GeneFilter genes_of(Setting setting, const TrainingGenes& genes) {
  if (setting == Setting::UnseenGenes) return translator::GeneFilter::only(genes.holdout);
  if (setting == Setting::UnseenDatasets) return translator::GeneFilter::all_but(genes.seen);
  return {};
}

}  // namespace regulus::evaluate

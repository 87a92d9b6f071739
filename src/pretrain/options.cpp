#include "regulus/pretrain/options.h"

#include "regulus/core/error.h"
#include "regulus/core/same_job.h"

namespace regulus::pretrain {

nlohmann::json job_of(const PretrainOptions& options, const backbone::TransformerConfig& config,
                      const Corpus& corpus) {
  const auto& sampling = options.sampling;
  return {{"expression", corpus.sha256()},
          {"validation", corpus.validation_cells().size()},
          {"layers", config.layers},
          {"heads", config.heads},
          {"width", config.width},
          {"hidden", config.hidden},
          {"panel", sampling.panel},
          {"mask", sampling.mask},
          {"corrupt", sampling.corrupt},
          {"expressed-share", sampling.expressed_share},
          {"balance", sampling.balance_datasets ? "datasets" : "cells"},
          {"seed", sampling.seed},
          {"start", to_string(options.start)},
          {"steps", options.schedule.steps},
          {"lr", options.schedule.peak},
          {"lr-floor", options.schedule.floor_share},
          {"warmup", options.schedule.warmup_steps},
          {"weight-decay", options.optimiser.weight_decay},
          {"beta2", options.optimiser.beta2},
          {"batch", options.batch},
          {"leaf", options.leaf},
          {"clip", options.clip},
          {"validate-every", options.validation_every},
          {"validation-samples", options.validation_samples}};
}

void require_same_job(const nlohmann::json& saved, const nlohmann::json& wanted, const std::string& where) {
  const auto difference = first_difference(saved, wanted);
  if (difference && difference->name == "expression")  // its value, a hash, would tell nobody anything
    throw OptionError("the expression data differ from those of the interrupted run", "--expression",
                      "resume with the same files in the same order, or start anew with --overwrite");
  regulus::require_same_job(saved, wanted, where);
}

}  // namespace regulus::pretrain

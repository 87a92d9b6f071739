#include "regulus/pretrain/options.h"

#include <fmt/format.h>

#include "regulus/core/error.h"

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
  for (const auto& [name, value] : wanted.items()) {
    const nlohmann::json before = saved.contains(name) ? saved.at(name) : nlohmann::json();
    if (before == value) continue;
    if (name == "expression")
      throw OptionError("the expression data differ from those of the interrupted run", "--expression",
                        "resume with the same files in the same order, or start anew with --overwrite");
    throw OptionError(fmt::format("{} differs from {} in {}", value.dump(), before.dump(), where),
                      "--" + name, "resume with the same options, or start anew with --overwrite");
  }
}

}  // namespace regulus::pretrain

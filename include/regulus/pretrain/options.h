#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>

#include "regulus/backbone/config.h"
#include "regulus/pretrain/adamw.h"
#include "regulus/pretrain/initial_weights.h"
#include "regulus/pretrain/sampler.h"
#include "regulus/pretrain/schedule.h"

namespace regulus::pretrain {

/// Everything that decides the weights of a training run, besides the corpus and the architecture.
struct PretrainOptions {
  SamplerOptions sampling;
  Start start = Start::Coexpression;
  Schedule schedule;
  AdamWOptions optimiser;
  std::int64_t batch = 64;  ///< samples per step
  std::int64_t leaf = 8;  ///< samples per forward and backward pass; part of the arithmetic, so of the result
  double clip = 1.0;      ///< largest norm of the gradient; 0 for no limit
  std::int64_t validation_every = 100;  ///< steps between two rows of the loss curve
  std::int64_t validation_samples = 128;
};

/// How one run of a training goes about it: changes nothing in the weights.
struct RunControl {
  std::filesystem::path checkpoint{};      ///< file to write to and resume from; empty for none
  std::filesystem::path curve{};           ///< loss.csv, kept up to date; empty for none
  double checkpoint_minutes = 10.0;        ///< wall time between checkpoints
  bool resume = false;                     ///< go on from the checkpoint if there is one
  std::function<bool()> stop_requested{};  ///< asked on every rank after every step; may differ between ranks
  bool progress = false;
};

/// What must be equal for a checkpoint to be continued, by the names of the command's options.
nlohmann::json job_of(const PretrainOptions& options, const backbone::TransformerConfig& config,
                      const Corpus& corpus);

/// \throws OptionError naming the first option in which the two differ
void require_same_job(const nlohmann::json& saved, const nlohmann::json& wanted, const std::string& where);

}  // namespace regulus::pretrain

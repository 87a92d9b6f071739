#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "evaluate_job.h"
#include "regulus/comm/communicator.h"
#include "regulus/data/network.h"
#include "regulus/evaluate/controls.h"
#include "regulus/evaluate/evaluation.h"
#include "regulus/evaluate/pearson.h"
#include "regulus/evaluate/ranked_edges.h"
#include "regulus/evaluate/setting.h"
#include "regulus/storage/feature_store.h"
#include "regulus/translator/translator.h"

namespace regulus::app {

/// The inputs that every data set shares.
struct EvaluateInputs {
  std::vector<data::Network> networks;
  std::vector<evaluate::RankedEdges> edges;
  std::optional<translator::Translator> translator;
  std::optional<evaluate::DegreeControl> degree;
  evaluate::TrainingGenes genes;
};

/// One data set: its candidate genes and what can score their pairs.
struct EvaluateData {
  std::string name;
  std::filesystem::path file;  ///< of the features; empty without
  std::vector<std::string> sources, targets;
  std::unique_ptr<storage::FeatureStore> store;
  std::optional<evaluate::PearsonControl> pearson;
  std::vector<std::string> not_in_expression;  ///< candidate genes that |pearson| scores 0
  bool trained_on = false;                     ///< the translator was trained on these features
};

/// Reads networks, edges and translator on every rank. \collective yes
EvaluateInputs read_evaluate_inputs(const comm::Communicator& world, const EvaluateJob& job);

/// Reads data set `index` of the job. \param inputs_sha256 SHA-256 by input file, the same on every rank
/// \collective yes
EvaluateData read_evaluate_data(const comm::Communicator& world, const EvaluateJob& job,
                                const EvaluateInputs& inputs, std::size_t index,
                                const nlohmann::json& inputs_sha256);

/// Data sets of the job: one per feature store, or the one of --edges.
std::size_t evaluate_data_count(const EvaluateJob& job);

/// Every method that can score the pairs: each probe, the ensembles, other tools, controls. \collective yes
std::vector<evaluate::Method> score_methods(const comm::Communicator& world, const EvaluateJob& job,
                                            const EvaluateInputs& inputs, const EvaluateData& data,
                                            const translator::LabelledPairs& pairs);

/// The mean of the translator's logits over its probes, for every pair. \collective yes
std::vector<double> ensemble_logits(const comm::Communicator& world, const translator::Translator& translator,
                                    const EvaluateData& data, const translator::LabelledPairs& pairs);

}  // namespace regulus::app

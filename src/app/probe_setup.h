#pragma once

#include <nlohmann/json.hpp>

#include "command.h"
#include "regulus/backbone/backbone.h"
#include "regulus/backbone/transformer.h"
#include "regulus/probe/probe_job.h"

namespace regulus::app {

/// The options of a probe, but for the choice of features.
void declare_probe_options(po::options_description& options);

/// --features and --spread.
void declare_feature_options(po::options_description& options);

/// Features to compute.
struct FeatureChoice {
  std::vector<std::string> features;  ///< vvp, gdt, osg, pert, attn, emb
  bool spread = false;  ///< also the standard deviations of vvp, gdt and attn over the backgrounds
};

FeatureChoice chosen_features(const Options& options);

/// How the model is to be used, and on which device. \throws OptionError, the same on every rank
/// \collective yes
backbone::TransformerOptions transformer_options(const Session& session);

/// Records the SHA-256 of the files that the options of a probe name. \collective yes
void record_probe_inputs(const Session& session);

/// What decides the features of a run, by the names of the options: the same job may be resumed. After
/// record_probe_inputs(). \collective yes
nlohmann::json probe_job_record(const Session& session, const backbone::Backbone& model,
                                const probe::ProbeJob& job, const backbone::TransformerOptions& use);

/// Reads what the options name and describes the job; reports what became of the genes.
/// \param report_beside the output that files of the report go with; empty: only into the log
/// \throws OptionError or InputError, the same on every rank \collective yes
probe::ProbeJob describe_probe(const Session& session, const backbone::Backbone& model,
                               const FeatureChoice& choice, const std::string& report_beside);

}  // namespace regulus::app

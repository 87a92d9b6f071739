#pragma once

#include "command.h"
#include "regulus/backbone/backbone.h"
#include "regulus/backbone/transformer.h"
#include "regulus/probe/probe_job.h"

namespace regulus::app {

/// The options of `probe` that decide the features.
void declare_probe_options(po::options_description& options);

/// How the model is to be used, and on which device. \throws OptionError, the same on every rank
/// \collective yes
backbone::TransformerOptions transformer_options(const Session& session);

/// Reads what the options name and describes the job; reports what became of the genes.
/// \throws OptionError or InputError, the same on every rank \collective yes
probe::ProbeJob describe_probe(const Session& session, const backbone::Backbone& model);

}  // namespace regulus::app

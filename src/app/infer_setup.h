#pragma once

#include <string>

#include "command.h"
#include "probe_setup.h"
#include "regulus/storage/edge_store.h"
#include "regulus/translator/tile_scores.h"
#include "regulus/translator/translator.h"

namespace regulus::app {

/// The options that say which edges are kept and what they carry.
void declare_edge_options(po::options_description& options);

/// The translator of --translator. \collective yes
translator::Translator load_translator(const Session& session);

/// The features that a translator was trained on.
FeatureChoice features_of(const translator::Translator& translator);

/// What the edges carry. \throws OptionError if the translator cannot give it
translator::ScoreOptions score_options(const Options& options, const translator::Translator& translator);

/// What the options say of the edge file, for sources x targets.
storage::EdgeStoreHeader edge_header(const Options& options, const probe::ProbeJob& job);

}  // namespace regulus::app

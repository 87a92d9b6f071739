#pragma once

#include <functional>
#include <optional>
#include <string>

#include "command.h"
#include "probe_setup.h"
#include "regulus/probe/runner.h"
#include "stop_rule.h"

namespace regulus::app {

/// --overwrite and --round-seconds, beside the --resume of commands that work tile by tile.
void declare_tile_options(po::options_description& options);

/// Opens the store of a run: a new one; with --resume the unfinished one that is there; or nothing, when a
/// finished one of the same job is there already.
/// \throws OptionError if something is there that was not asked to be resumed or replaced, or that belongs to
/// another job; StorageError; the same on every rank \collective yes
std::optional<storage::FeatureStoreWriter> open_store(const Session& session, const std::string& path,
                                                      const storage::FeatureStoreHeader& header);

/// What every store of a probe says about itself, without its columns.
storage::FeatureStoreHeader store_header(const Session& session, const backbone::Backbone& model,
                                         const probe::ProbeJob& job, const nlohmann::json& record);

/// Computes what the store lacks, with progress, until done or stopped; adds where the ranks' time went to
/// the provenance. \param finish see RunControl \throws Interrupted, after the store was closed for --resume,
/// if the run was stopped \collective yes
void run_tiles(Session& session, const StopRule& stop, const backbone::Backbone& model,
               const probe::ProbeJob& job, storage::FeatureStoreWriter& store,
               const std::function<probe::StoredTile(probe::StoredTile)>& finish);

}  // namespace regulus::app

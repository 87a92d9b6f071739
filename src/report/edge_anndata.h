// Edges as an AnnData file; private to the module.
#pragma once

#include "regulus/report/edge_export.h"

namespace regulus::report {

/// varp["regulus"], a sparse matrix sources x targets over all genes, and uns["regulus"] with the ranked
/// edges. \throws as export_edges()
void write_anndata(const storage::EdgeStore& store, const ExportOptions& options);

}  // namespace regulus::report

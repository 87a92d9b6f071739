// The structure of a feature store: everything but the features, written once, read and compared.
#pragma once

#include "feature_store_layout.h"

namespace regulus::storage {

std::int64_t source_count(const FeatureStoreHeader& header);
std::int64_t target_count(const FeatureStoreHeader& header);

/// \throws Error (Internal) for a header from which no store can be made
void check_header(const FeatureStoreHeader& header);

/// Attributes, names, plan, marks (all 0), tile columns, and the features' data sets, whose space is
/// reserved: after this the structure of the file does not change any more. \param compression other than 0:
/// the features take their space as they are written
void write_structure(H5File& file, const FeatureStoreHeader& header, int compression);

/// \throws InputError if it is no store of this kind, or of a version that is not known
void check_format(const H5File& file, StoreKind kind);

/// Without the provenance. \throws InputError if it is no store of this kind or damaged
FeatureStoreSummary summarise(const H5File& file, StoreKind kind);

/// By itself, since a kill while it is brought up to date may cost it, and nothing else. \throws InputError
std::string read_provenance(const H5File& file);

/// Of every tile, 1 or another number. \throws InputError
std::vector<std::uint8_t> read_done(const H5File& file);

/// \throws InputError if a file of version 1 is asked, which does not say its job
std::string read_job(const H5File& file);

}  // namespace regulus::storage

#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/storage/hdf5.h"

namespace regulus::storage {

/// One probe's place in a feature store.
struct ProbeColumns {
  std::string name;         ///< "vvp", "gdt", "osg" …
  std::int64_t width = 0;   ///< features per pair
  std::string description;  ///< what the columns are, for people
};

/// What a feature store says about itself. S sources, G targets.
struct FeatureStoreHeader {
  std::vector<std::string> sources, targets;  ///< UTF-8 gene names
  std::vector<ProbeColumns> probes;
  std::map<std::string, std::vector<double>>
      grids;  ///< "perturbation", "gradient" … in the backbone's input units
  std::string background;
  std::string checkpoint_sha256;
  std::string provenance_json;
  std::int64_t sources_per_tile =
      0;  ///< a tile is a block of consecutive sources, all targets; the last may be shorter
};

/// The consecutive sources of one tile.
struct TileSources {
  std::int64_t begin = 0;
  std::int64_t count = 0;
};
std::int64_t tile_count(const FeatureStoreHeader& header);
TileSources tile_sources(const FeatureStoreHeader& header, std::int64_t tile);

/// Writes a feature store with any number of ranks (docs/formats/feature_store.md). Everything but the
/// features is on disk before the first of them, a tile is marked done after its features, and `complete` is
/// set last, so that a kill at any moment leaves a file that says what it holds. The bytes of the data sets
/// do not depend on the number of ranks. After an error the writer is of no further use.
class FeatureStoreWriter {
 public:
  /// Values that a rank hands to MPI-IO at once, to bound its buffers (64 MiB).
  static constexpr std::int64_t kTransferValues = std::int64_t{1} << 24U;

  /// Creates the file, replacing one of this name.
  /// \param header the same on every rank \throws StorageError, the same on every rank \collective yes
  FeatureStoreWriter(const comm::Communicator& comm, const std::filesystem::path& path,
                     FeatureStoreHeader header, std::int64_t transfer_values = kTransferValues);

  std::int64_t tile_count() const { return storage::tile_count(header_); }
  TileSources sources_of(std::int64_t tile) const { return tile_sources(header_, tile); }

  struct Tile {
    std::int64_t index = 0;
    std::map<std::string, std::vector<float>> features;  ///< of every probe: [sources of the tile, G, width]
  };

  /// Writes the tiles of all ranks, then marks them done.
  /// \param mine any number of tiles, none included; a tile is written once, by one rank
  /// \throws StorageError, or Error (Internal) for a tile that does not fit; the same on every rank
  /// \collective yes: every rank calls it equally often
  void write_round(const std::vector<Tile>& mine);

  /// Closes the file and marks it complete. All tiles must have been written.
  /// \throws StorageError, the same on every rank \collective yes
  void finish(const std::string& provenance_json);

 private:
  struct Piece;
  void check(const std::vector<Tile>& tiles) const;
  std::vector<std::int64_t> gather_indices(const std::vector<Tile>& mine) const;
  std::vector<Piece> pieces(const ProbeColumns& probe, const std::vector<Tile>& tiles) const;
  void write_features(const ProbeColumns& probe, const std::vector<Tile>& tiles);
  void mark_done(const std::vector<std::int64_t>& tiles);

  comm::Communicator comm_;
  std::filesystem::path path_;
  FeatureStoreHeader header_;
  std::int64_t transfer_values_;
  std::vector<std::uint8_t> done_;
  H5File file_;
};

/// What is in a feature store and whether it is whole.
struct FeatureStoreSummary {
  FeatureStoreHeader header;
  std::int64_t tiles = 0;
  std::int64_t tiles_done = 0;
  bool complete = false;
};

/// Whether the file is an HDF5 file that calls itself a feature store, whole or not. Never throws.
bool is_feature_store(const std::filesystem::path& path);

/// Also of an unfinished store. \throws InputError if it is missing, truncated, damaged or not a feature
/// store
FeatureStoreSummary describe_feature_store(const std::filesystem::path& path);

/// Reads a complete feature store. Not collective.
class FeatureStore {
 public:
  /// \throws InputError if it is missing, truncated, damaged, unfinished or not a feature store
  explicit FeatureStore(const std::filesystem::path& path);

  const FeatureStoreHeader& header() const { return header_; }

  /// All features of a probe. \return [S, G, width] \throws InputError if there is no such probe
  std::vector<float> read(const std::string& probe) const;
  /// Those of `count` sources from `begin`. \return [count, G, width]
  std::vector<float> read_sources(const std::string& probe, std::int64_t begin, std::int64_t count) const;

 private:
  H5File file_;
  FeatureStoreHeader header_;
};

}  // namespace regulus::storage

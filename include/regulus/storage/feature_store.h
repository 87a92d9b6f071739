#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/storage/hdf5.h"
#include "regulus/storage/tile_plan.h"

namespace regulus::storage {

/// One probe's place in a feature store.
struct ProbeColumns {
  std::string name;         ///< "vvp", "gdt", "osg" …
  std::int64_t width = 0;   ///< features per pair
  std::string description;  ///< what the columns are, for people
};

/// One kind of integers that a store keeps for each of its tiles.
struct TileColumns {
  std::string name;         ///< not "plan" or "done"
  std::int64_t width = 0;   ///< numbers per tile
  std::string description;  ///< what they are, for people
};

/// What a store is for. Only Features is a file for users; Scores is the working file of `infer`.
enum class StoreKind { Features, Scores };

/// What a feature store says about itself. S sources, G targets.
struct FeatureStoreHeader {
  std::vector<std::string> sources, targets;  ///< UTF-8 gene names
  std::vector<ProbeColumns> probes;
  std::map<std::string, std::vector<double>>
      grids;  ///< "perturbation", "gradient" … in the backbone's input units
  std::string background;
  std::string checkpoint_sha256;
  std::string provenance_json;
  StoreKind kind = StoreKind::Features;
  std::int64_t sources_per_tile = 0;  ///< the last block may be shorter
  std::int64_t targets_per_tile = 0;  ///< 0: all targets in one tile; the last block may be shorter
  std::vector<TileColumns> tile_columns;
  std::string job_json = "{}";  ///< an object: what decides the content, by option; compared on resume

  TilePlan plan() const {
    return {static_cast<std::int64_t>(sources.size()), static_cast<std::int64_t>(targets.size()),
            sources_per_tile, targets_per_tile};
  }
};

/// Writes a feature store with any number of ranks (docs/formats/feature_store.md). Everything but the
/// features is on disk before the first of them, a tile is marked done after its features, and `complete` is
/// set last, so that a kill at any moment leaves a file that says what it holds and that resume() goes on
/// with. The bytes of the data sets do not depend on the number of ranks. After an error the writer is of no
/// further use; the file can be resumed.
class FeatureStoreWriter {
 public:
  /// Values that a rank hands to MPI-IO at once, to bound its buffers (64 MiB).
  static constexpr std::int64_t kTransferValues = std::int64_t{1} << 24U;

  /// A new store, replacing a file of this name.
  /// \param header the same on every rank \throws StorageError, the same on every rank \collective yes
  static FeatureStoreWriter create(const comm::Communicator& comm, const std::filesystem::path& path,
                                   FeatureStoreHeader header, std::int64_t transfer_values = kTransferValues);

  /// Goes on with an unfinished store, on any number of ranks. The provenance of `header` is not looked at.
  /// \throws OptionError naming the first entry of job_json that differs, with both values; InputError if the
  /// file is missing, damaged, complete, no store of this kind or not of the header's structure; StorageError
  /// if it cannot be opened for writing; the same on every rank \collective yes
  static FeatureStoreWriter resume(const comm::Communicator& comm, const std::filesystem::path& path,
                                   FeatureStoreHeader header, std::int64_t transfer_values = kTransferValues);

  std::int64_t tile_count() const { return header_.plan().count(); }
  TileBlock block_of(std::int64_t tile) const { return header_.plan().block(tile); }

  /// Of each tile: 1 if the file holds it, 0 if it is still to be written.
  const std::vector<std::uint8_t>& done() const { return done_; }

  struct Tile {
    std::int64_t index = 0;
    std::map<std::string, std::vector<float>> features;         ///< of every probe: [sources, targets, width]
    std::map<std::string, std::vector<std::int64_t>> counts{};  ///< of every tile column: [width]
  };

  /// Writes the tiles of all ranks, then marks them done.
  /// \param mine any number of tiles, none included; a tile is written once, by one rank
  /// \throws StorageError, or Error (Internal) for a tile that does not fit; the same on every rank
  /// \collective yes: every rank calls it equally often
  void write_round(const std::vector<Tile>& mine);

  /// Flushes and closes the file as it is, for resume(); the last call of a writer.
  /// \throws StorageError, the same on every rank \collective yes
  void suspend();

  /// Closes the file and marks it complete. All tiles must have been written; the last call of a writer.
  /// \param compression 0 leaves the features as they are; 1 (fast) to 9 (small): rank 0 alone writes a
  ///   compressed copy beside the file, within 256 MiB of memory, and puts it in the file's place
  /// \throws StorageError, the same on every rank \collective yes
  void finish(const std::string& provenance_json, int compression = 0);

 private:
  struct Opened {
    H5File file;
    std::vector<std::uint8_t> done;
  };
  FeatureStoreWriter(const comm::Communicator& comm, std::filesystem::path path, FeatureStoreHeader header,
                     std::int64_t transfer_values, Opened opened);
  static Opened open(const comm::Communicator& comm, const std::filesystem::path& path,
                     const FeatureStoreHeader& header, std::vector<std::uint8_t> done);
  void check(const std::vector<Tile>& tiles) const;
  std::vector<std::int64_t> gather_indices(const std::vector<Tile>& mine) const;
  void write_features(const ProbeColumns& probe, const Tile& tile);
  void write_tile(const Tile& tile);
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

/// Whether the file is an HDF5 file that calls itself a store of this kind, whole or not. Never throws.
bool is_feature_store(const std::filesystem::path& path, StoreKind kind = StoreKind::Features);

/// Also of an unfinished store. \throws InputError if it is missing, truncated, damaged or not a store of
/// this kind
FeatureStoreSummary describe_feature_store(const std::filesystem::path& path,
                                           StoreKind kind = StoreKind::Features);

/// What is at the path of a store that is about to be written.
enum class StoreState { Absent, Unfinished, Complete };

/// \throws InputError if there is a file that is not a store of this kind, or a damaged one \collective no
StoreState store_state(const std::filesystem::path& path, StoreKind kind = StoreKind::Features);

/// That the store at `path`, complete or not, is of this job. Changes nothing.
/// \throws OptionError naming the first entry that differs, with both values; InputError if the file is no
/// store of this kind or does not say its job (format version 1) \collective no
void require_same_job(const std::filesystem::path& path, const std::string& job_json,
                      StoreKind kind = StoreKind::Features);

/// Reads a complete feature store. Not collective.
class FeatureStore {
 public:
  /// \throws InputError if it is missing, truncated, damaged, unfinished or not a store of this kind
  explicit FeatureStore(const std::filesystem::path& path, StoreKind kind = StoreKind::Features);

  const FeatureStoreHeader& header() const { return header_; }

  /// All features of a probe. \return [S, G, width] \throws InputError if there is no such probe
  std::vector<float> read(const std::string& probe) const;
  /// Those of `count` sources from `begin`. \return [count, G, width]
  std::vector<float> read_sources(const std::string& probe, std::int64_t begin, std::int64_t count) const;
  /// The numbers of every tile. \return [tiles, width] \throws InputError if there is no such tile column
  std::vector<std::int64_t> read_tile_columns(const std::string& name) const;
  /// Their sums over all tiles, within bounded memory. \return [width]
  std::vector<std::int64_t> sum_tile_columns(const std::string& name) const;

 private:
  H5File file_;
  FeatureStoreHeader header_;
};

}  // namespace regulus::storage

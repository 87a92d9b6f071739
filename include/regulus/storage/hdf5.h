#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "regulus/comm/communicator.h"
#include "regulus/core/error.h"

namespace regulus::storage {

/// What lies at a path inside a file.
enum class NodeKind { Group, DataSet, Other };

/// What the elements of a data set are. Booleans as h5py writes them (an enumeration) count as Integer.
enum class ValueKind { Integer, Float, String, Other };

/// A block of an N-dimensional data set. A zero count selects nothing.
struct Block {
  std::vector<std::int64_t> offset;
  std::vector<std::int64_t> count;
};

/// How the values of a data set lie in the file.
struct DataSetLayout {
  std::vector<std::int64_t> chunk{};  ///< shape of the blocks that lie together; empty: one after the other
  int compression = 0;                ///< 0 for none, 1 (fast) to 9 (small); needs a chunk
};

/// An HDF5 file. Paths inside it are absolute ("/obs/_index"); missing groups on the way are created when
/// writing. Numeric types: float, double, std::int8_t, std::uint8_t, std::int32_t, std::int64_t, and Half
/// in blocks; what the file holds is converted on reading (HDF5 clamps values that the wanted type cannot
/// hold: read into a type that is wide enough). Errors of reading are InputError, unless open_read() was
/// given another kind; errors of creating, writing and closing are StorageError. Both name the file and the
/// path inside it.
class H5File {
 public:
  /// A new file, which appears under its name only with close(); until then it is `<path>.partial`, removed
  /// if close() is never reached.
  static H5File create(const std::filesystem::path& path);

  /// \param on_failure kind of the errors when the file is missing, not HDF5, truncated or lacks something
  static H5File open_read(const std::filesystem::path& path, ErrorKind on_failure = ErrorKind::Input);

  /// An existing file, in place, to change data or attributes; without close() the changes may be lost.
  static H5File open_update(const std::filesystem::path& path);

  /// An existing file opened by all ranks for reading and writing. A rank reads and writes blocks without the
  /// others; data sets and attributes must not be created. Close it with close(): the destructor does not
  /// communicate and leaves the file open until MPI ends. \throws the same error on every rank \collective
  /// yes
  static H5File open_parallel(const std::filesystem::path& path, const comm::Communicator& comm);

  H5File(H5File&& other) noexcept;
  H5File& operator=(H5File&& other) noexcept;
  H5File(const H5File&) = delete;
  H5File& operator=(const H5File&) = delete;
  ~H5File();

  const std::string& name() const;  ///< of the file, as it was given

  // What is there.
  bool has(const std::string& path) const;
  NodeKind kind(const std::string& path) const;
  std::vector<std::string> children(const std::string& group) const;   ///< by name
  std::vector<std::int64_t> shape(const std::string& data_set) const;  ///< empty for a scalar
  ValueKind value_kind(const std::string& data_set) const;
  std::vector<std::int64_t> chunk(const std::string& data_set) const;  ///< its shape; empty if there are none

  void create_group(const std::string& path);  ///< no effect where it exists

  // Numeric data sets, row-major.
  template <typename T>
  std::vector<T> read(const std::string& path) const;
  template <typename T>
  T read_scalar(const std::string& path) const;  ///< of a scalar or of one element
  template <typename T>
  std::vector<T> read_block(const std::string& path, const Block& block) const;

  template <typename T>
  void write(const std::string& path, const std::vector<T>& values);
  /// \param shape its product is the number of values
  template <typename T>
  void write(const std::string& path, const std::vector<T>& values, const std::vector<std::int64_t>& shape);
  template <typename T>
  void write_scalar(const std::string& path, T value);
  /// A data set for write_block(), not filled; its space is reserved unless it is compressed.
  template <typename T>
  void create_data_set(const std::string& path, const std::vector<std::int64_t>& shape,
                       const DataSetLayout& layout = {});
  /// \collective no, in a file of open_parallel() neither: there ranks write blocks that do not overlap, of
  /// data sets that are not compressed
  template <typename T>
  void write_block(const std::string& path, const Block& block, std::span<const T> values);

  // UTF-8 strings; written with variable length, read with variable or fixed length.
  std::vector<std::string> read_strings(const std::string& path) const;
  std::vector<std::string> read_strings(const std::string& path, const Block& block) const;
  std::string read_string(const std::string& path) const;  ///< of a scalar or of one element
  /// One text field of a data set of records (a compound type).
  std::vector<std::string> read_string_field(const std::string& path, const std::string& field) const;
  void write_strings(const std::string& path, const std::vector<std::string>& values);
  void write_string(const std::string& path, const std::string& value);

  // Attributes of the group or data set at `path`. Writing replaces.
  bool has_attribute(const std::string& path, const std::string& name) const;
  std::vector<std::string> attributes(const std::string& path) const;  ///< their names, by name
  ValueKind attribute_kind(const std::string& path, const std::string& name) const;
  std::string read_attribute_string(const std::string& path, const std::string& name) const;
  std::vector<std::string> read_attribute_strings(const std::string& path, const std::string& name) const;
  std::int64_t read_attribute_int(const std::string& path, const std::string& name) const;
  double read_attribute_double(const std::string& path, const std::string& name) const;
  /// Any number of elements of any numeric type, converted.
  template <typename T>
  std::vector<T> read_attribute(const std::string& path, const std::string& name) const;
  void write_attribute_string(const std::string& path, const std::string& name, const std::string& value);
  void write_attribute_strings(const std::string& path, const std::string& name,
                               const std::vector<std::string>& values);
  void write_attribute_int(const std::string& path, const std::string& name, std::int64_t value);
  void write_attribute_bool(const std::string& path, const std::string& name, bool value);  ///< as h5py does
  void write_attribute_double(const std::string& path, const std::string& name, double value);
  template <typename T>
  void write_attribute(const std::string& path, const std::string& name, const std::vector<T>& values);

  /// The group or data set `path` of another file, with everything in it and its attributes.
  void copy_from(const H5File& other, const std::string& path);

  void flush();
  /// Flushes, closes and puts a created file in place. \throws StorageError \collective in a file of
  /// open_parallel()
  void close();

 private:
  struct State;
  explicit H5File(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace regulus::storage

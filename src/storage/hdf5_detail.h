// What the parts of H5File share: owned identifiers, types, the error stack. The only header with <hdf5.h>.
#pragma once

#include <hdf5.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "regulus/storage/hdf5.h"
#include "regulus/storage/partial_file.h"

namespace regulus::storage::detail {

/// Owns one HDF5 identifier of any class.
class Id {
 public:
  explicit Id(hid_t id = H5I_INVALID_HID) : id_(id) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id();  ///< keeps HDF5's error stack, which is still to be translated

  bool valid() const { return id_ >= 0; }
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }
  operator hid_t() const { return id_; }

 private:
  hid_t id_;
};

/// Starts the library and silences its printing; every opening function
/// calls it.
void start_library();

/// The innermost reason on HDF5's error stack, in a few words. Only identifiers may be released since the
/// failure.
std::string last_reason();

template <typename T>
hid_t memory_type();
/// The same type as it is stored: little-endian.
template <typename T>
hid_t file_type();

/// Variable-length UTF-8 string.
Id utf8_type();

/// Number of elements of a shape. \throws Error (Internal) on a negative or overflowing product
std::int64_t element_count(const std::vector<std::int64_t>& shape);
std::vector<std::int64_t> extent(hid_t space);
/// A simple data space; a scalar for an empty shape.
Id make_space(const std::vector<std::int64_t>& shape);
ValueKind classify(hid_t type);

/// Objects without time stamps, so that equal content gives equal bytes. `kind` is H5P_GROUP_CREATE, …
Id without_times(hid_t kind);
/// Creates the groups that are missing on the way to `path`, which itself is not created; false on failure.
bool create_parents(hid_t file, const std::string& path);

/// The strings of a data set or an attribute, through `read(memory type, buffer)`, which returns false on
/// failure.
template <typename Read>
bool read_string_elements(hid_t type, hid_t space, Read read, std::vector<std::string>& strings);

std::vector<const char*> pointers(const std::vector<std::string>& strings);

/// `count` elements, or an error of the given kind instead of std::bad_alloc when a damaged file asks for too
/// many.
template <typename T>
std::vector<T> allocate(std::size_t count, ErrorKind kind, const std::string& where);

[[noreturn]] void throw_as(ErrorKind kind, const std::string& message, const std::string& where,
                           const std::string& hint);

}  // namespace regulus::storage::detail

namespace regulus::storage {

struct H5File::State {
  State(detail::Id id_of_file, std::string name_of_file)
      : id(std::move(id_of_file)), name(std::move(name_of_file)) {}

  detail::Id id;
  std::string name;
  ErrorKind read_error = ErrorKind::Input;
  bool writable = false;
  bool parallel = false;
  std::optional<PartialFile> partial;

  std::string where(const std::string& path) const { return name + ":" + path; }
  std::string where(const std::string& path, const std::string& attribute) const {
    return name + ":" + path + "@" + attribute;
  }
  [[noreturn]] void reading_failed(const std::string& where) const;
  [[noreturn]] void writing_failed(const std::string& where) const;
  /// The file can be read, but does not hold what was asked for.
  [[noreturn]] void unusable(const std::string& message, const std::string& where) const;

  detail::Id open_data_set(const std::string& path) const;
  void require_numbers(hid_t type, const std::string& where) const;
  detail::Id open_attribute(const std::string& path, const std::string& attribute) const;
};

namespace detail {

/// How one string type lies in memory: pointers for variable length, a block of bytes each for fixed length.
struct StringLayout {
  Id memory;
  bool variable;
  std::size_t width;
  bool space_padded;
};
StringLayout string_layout(hid_t type);
std::string fixed_string(const char* begin, const StringLayout& layout);

template <typename Read>
bool read_string_elements(hid_t type, hid_t space, Read read, std::vector<std::string>& strings) {
  const StringLayout layout = string_layout(type);
  const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
  strings.clear();
  if (count == 0) return true;
  if (!layout.variable) {
    std::vector<char> bytes(count * layout.width);
    if (!read(layout.memory, bytes.data())) return false;
    for (std::size_t i = 0; i < count; ++i) strings.push_back(fixed_string(&bytes[i * layout.width], layout));
    return true;
  }
  std::vector<char*> elements(count, nullptr);
  if (!read(layout.memory, elements.data())) return false;
  for (const char* element : elements) strings.emplace_back(element == nullptr ? "" : element);
  H5Dvlen_reclaim(layout.memory, space, H5P_DEFAULT, elements.data());
  return true;
}

template <typename T>
std::vector<T> allocate(std::size_t count, ErrorKind kind, const std::string& where) {
  try {
    return std::vector<T>(count);
  } catch (const std::exception&) {
    throw_as(kind, "claims " + std::to_string(count) + " elements, more than memory holds", where,
             "the file is damaged, or this machine is too small for it");
  }
}

}  // namespace detail

}  // namespace regulus::storage

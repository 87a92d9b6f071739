#include "hdf5_detail.h"

#include <limits>
#include <string_view>

#include "regulus/storage/half.h"

namespace regulus::storage::detail {

namespace {

herr_t keep_innermost(unsigned position, const H5E_error2_t* error, void* reason) {
  if (position == 0 && error->desc != nullptr) *static_cast<std::string*>(reason) = error->desc;
  return 0;
}

/// "… errno = 28, error message = 'No space left on device', buf = …": only the quoted part is for people.
std::string quoted_part(const std::string& description) {
  constexpr std::string_view kKey = "error message = '";
  const auto key = description.find(kKey);
  if (key == std::string::npos) return description;
  const auto begin = key + kKey.size();
  const auto end = description.find('\'', begin);
  return end == std::string::npos ? description : description.substr(begin, end - begin);
}

/// IEEE 754 binary16, which HDF5 has no name for: sign 1, exponent 5, fraction 10 bits.
hid_t make_half_type() {
  const hid_t type = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(type, 15, 10, 5, 0, 10);
  H5Tset_size(type, 2);
  H5Tset_ebias(type, 15);
  return type;
}

hid_t half_type() {
  static const hid_t type = make_half_type();
  return type;
}

}  // namespace

void start_library() {
  H5open();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string last_reason() {
  std::string reason = "no reason given";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_innermost, &reason);
  return quoted_part(reason);
}

Id::~Id() {
  if (id_ < 0) return;
  const hid_t failures = H5Eget_current_stack();
  H5Idec_ref(id_);
  H5Eset_current_stack(failures);
}

// The H5T_… names are expressions, not constants: the library numbers its types when it starts.
// clang-format off
template <> hid_t memory_type<float>() { return H5T_NATIVE_FLOAT; }
template <> hid_t memory_type<double>() { return H5T_NATIVE_DOUBLE; }
template <> hid_t memory_type<std::int8_t>() { return H5T_NATIVE_INT8; }
template <> hid_t memory_type<std::uint8_t>() { return H5T_NATIVE_UINT8; }
template <> hid_t memory_type<std::int32_t>() { return H5T_NATIVE_INT32; }
template <> hid_t memory_type<std::int64_t>() { return H5T_NATIVE_INT64; }
template <> hid_t memory_type<Half>() { return half_type(); }
template <> hid_t file_type<Half>() { return half_type(); }
template <> hid_t file_type<float>() { return H5T_IEEE_F32LE; }
template <> hid_t file_type<double>() { return H5T_IEEE_F64LE; }
template <> hid_t file_type<std::int8_t>() { return H5T_STD_I8LE; }
template <> hid_t file_type<std::uint8_t>() { return H5T_STD_U8LE; }
template <> hid_t file_type<std::int32_t>() { return H5T_STD_I32LE; }
template <> hid_t file_type<std::int64_t>() { return H5T_STD_I64LE; }
// clang-format on

Id utf8_type() {
  Id type(H5Tcopy(H5T_C_S1));
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t length : shape)
    if (length < 0 || __builtin_mul_overflow(count, length, &count))
      throw Error(ErrorKind::Internal, "a shape is negative or too large", "HDF5 data set");
  return count;
}

std::vector<std::int64_t> extent(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> lengths(static_cast<std::size_t>(rank > 0 ? rank : 0));
  if (!lengths.empty()) H5Sget_simple_extent_dims(space, lengths.data(), nullptr);
  return {lengths.begin(), lengths.end()};
}

Id make_space(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return Id(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> lengths(shape.begin(), shape.end());
  return Id(H5Screate_simple(static_cast<int>(lengths.size()), lengths.data(), nullptr));
}

Id without_times(hid_t kind) {
  Id creation(H5Pcreate(kind));
  H5Pset_obj_track_times(creation, false);
  return creation;
}

bool create_parents(hid_t file, const std::string& path) {
  const Id creation = without_times(H5P_GROUP_CREATE);
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1)) {
    const std::string parent = path.substr(0, end);
    if (H5Lexists(file, parent.c_str(), H5P_DEFAULT) > 0) continue;
    if (!Id(H5Gcreate2(file, parent.c_str(), H5P_DEFAULT, creation, H5P_DEFAULT)).valid()) return false;
  }
  return true;
}

ValueKind classify(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
    case H5T_ENUM:
      return ValueKind::Integer;
    case H5T_FLOAT:
      return ValueKind::Float;
    case H5T_STRING:
      return ValueKind::String;
    default:
      return ValueKind::Other;
  }
}

StringLayout string_layout(hid_t type) {
  return {Id(H5Tcopy(type)), H5Tis_variable_str(type) > 0, H5Tget_size(type),
          H5Tget_strpad(type) == H5T_STR_SPACEPAD};
}

std::string fixed_string(const char* begin, const StringLayout& layout) {
  std::string text(begin, layout.width);
  text.resize(std::min(text.find('\0'), text.size()));
  if (layout.space_padded) text.resize(text.find_last_not_of(' ') + 1);
  return text;
}

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
  std::vector<const char*> result;
  result.reserve(strings.size());
  for (const auto& string : strings) result.push_back(string.c_str());
  return result;
}

void throw_as(ErrorKind kind, const std::string& message, const std::string& where, const std::string& hint) {
  switch (kind) {
    case ErrorKind::Input:
      throw InputError(message, where, hint);
    case ErrorKind::Model:
      throw ModelError(message, where, hint);
    case ErrorKind::Storage:
      throw StorageError(message, where, hint);
    default:
      throw Error(kind, message, where, hint);
  }
}

}  // namespace regulus::storage::detail

namespace regulus::storage {

void H5File::State::reading_failed(const std::string& where) const {
  const std::string reason = detail::last_reason();
  detail::throw_as(read_error, "cannot be read (HDF5: " + reason + ")", where,
                   "the file is truncated or damaged: copy it or write it again");
}

void H5File::State::writing_failed(const std::string& where) const {
  throw StorageError("cannot be written (HDF5: " + detail::last_reason() + ")", where,
                     "check free space, quota and permissions");
}

void H5File::State::unusable(const std::string& message, const std::string& where) const {
  detail::throw_as(read_error, message, where,
                   "check that this is the right file; `regulus inspect` shows what it holds");
}

}  // namespace regulus::storage

#include "hdf5_detail.h"

namespace regulus::storage {

using detail::Id;

namespace {

herr_t collect_name(hid_t, const char* name, const H5A_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

bool same_shape(hid_t a, hid_t b) {
  return H5Sget_simple_extent_type(a) == H5Sget_simple_extent_type(b) &&
         detail::extent(a) == detail::extent(b);
}

/// Writes over an attribute of this very type and shape, where the structure of the file need not change;
/// false if there is none.
bool overwrite(hid_t file, const std::string& path, const std::string& name, hid_t stored, hid_t memory,
               hid_t space, const void* values) {
  if (H5Aexists_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT) <= 0) return false;
  const Id attribute(H5Aopen_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT));
  return attribute.valid() && H5Tequal(Id(H5Aget_type(attribute)), stored) > 0 &&
         same_shape(Id(H5Aget_space(attribute)), space) && H5Awrite(attribute, memory, values) >= 0;
}

/// Creates (or replaces) an attribute and writes it; false on failure, with the reason on the HDF5 stack.
bool put(hid_t file, const std::string& path, const std::string& name, hid_t stored, hid_t memory,
         hid_t space, const void* values) {
  if (overwrite(file, path, name, stored, memory, space, values)) return true;
  if (H5Aexists_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT) > 0 &&
      H5Adelete_by_name(file, path.c_str(), name.c_str(), H5P_DEFAULT) < 0)
    return false;
  const Id attribute(H5Acreate_by_name(file, path.c_str(), name.c_str(), stored, space, H5P_DEFAULT,
                                       H5P_DEFAULT, H5P_DEFAULT));
  return attribute.valid() &&
         (H5Sget_simple_extent_npoints(space) == 0 || H5Awrite(attribute, memory, values) >= 0);
}

}  // namespace

Id H5File::State::open_attribute(const std::string& path, const std::string& attribute) const {
  Id opened(H5Aopen_by_name(id, path.c_str(), attribute.c_str(), H5P_DEFAULT, H5P_DEFAULT));
  if (opened.valid()) return opened;
  unusable("there is no such attribute (HDF5: " + detail::last_reason() + ")", where(path, attribute));
}

bool H5File::has_attribute(const std::string& path, const std::string& name) const {
  return H5Aexists_by_name(state_->id, path.c_str(), name.c_str(), H5P_DEFAULT) > 0;
}

std::vector<std::string> H5File::attributes(const std::string& path) const {
  std::vector<std::string> names;
  if (H5Aiterate_by_name(state_->id, path.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names,
                         H5P_DEFAULT) < 0)
    state_->reading_failed(state_->where(path));
  return names;
}

ValueKind H5File::attribute_kind(const std::string& path, const std::string& name) const {
  const Id attribute = state_->open_attribute(path, name);
  return detail::classify(Id(H5Aget_type(attribute)));
}

std::vector<std::string> H5File::read_attribute_strings(const std::string& path,
                                                        const std::string& name) const {
  const Id attribute = state_->open_attribute(path, name);
  const Id type(H5Aget_type(attribute));
  if (detail::classify(type) != ValueKind::String) state_->unusable("is not text", state_->where(path, name));
  const Id space(H5Aget_space(attribute));
  const auto read = [&](hid_t memory, void* buffer) { return H5Aread(attribute, memory, buffer) >= 0; };
  std::vector<std::string> strings;
  if (!detail::read_string_elements(type, space, read, strings))
    state_->reading_failed(state_->where(path, name));
  return strings;
}

std::string H5File::read_attribute_string(const std::string& path, const std::string& name) const {
  const auto strings = read_attribute_strings(path, name);
  if (strings.size() != 1) state_->unusable("is not a single text", state_->where(path, name));
  return strings.front();
}

template <typename T>
std::vector<T> H5File::read_attribute(const std::string& path, const std::string& name) const {
  const Id attribute = state_->open_attribute(path, name);
  state_->require_numbers(Id(H5Aget_type(attribute)), state_->where(path, name));
  const auto count = H5Sget_simple_extent_npoints(Id(H5Aget_space(attribute)));
  if (count < 0) state_->reading_failed(state_->where(path, name));
  auto values =
      detail::allocate<T>(static_cast<std::size_t>(count), state_->read_error, state_->where(path, name));
  if (count > 0 && H5Aread(attribute, detail::memory_type<T>(), values.data()) < 0)
    state_->reading_failed(state_->where(path, name));
  return values;
}

std::int64_t H5File::read_attribute_int(const std::string& path, const std::string& name) const {
  const auto values = read_attribute<std::int64_t>(path, name);
  if (values.size() != 1) state_->unusable("is not a single number", state_->where(path, name));
  return values.front();
}

double H5File::read_attribute_double(const std::string& path, const std::string& name) const {
  const auto values = read_attribute<double>(path, name);
  if (values.size() != 1) state_->unusable("is not a single number", state_->where(path, name));
  return values.front();
}

void H5File::write_attribute_string(const std::string& path, const std::string& name,
                                    const std::string& value) {
  const Id type = detail::utf8_type();
  const char* text = value.c_str();
  if (!put(state_->id, path, name, type, type, detail::make_space({}), &text))
    state_->writing_failed(state_->where(path, name));
}

void H5File::write_attribute_strings(const std::string& path, const std::string& name,
                                     const std::vector<std::string>& values) {
  const Id type = detail::utf8_type();
  const Id space = detail::make_space({static_cast<std::int64_t>(values.size())});
  if (!put(state_->id, path, name, type, type, space, detail::pointers(values).data()))
    state_->writing_failed(state_->where(path, name));
}

void H5File::write_attribute_int(const std::string& path, const std::string& name, std::int64_t value) {
  if (!put(state_->id, path, name, detail::file_type<std::int64_t>(), detail::memory_type<std::int64_t>(),
           detail::make_space({}), &value))
    state_->writing_failed(state_->where(path, name));
}

void H5File::write_attribute_bool(const std::string& path, const std::string& name, bool value) {
  const Id type(H5Tenum_create(H5T_STD_I8LE));
  const std::int8_t no = 0;
  const std::int8_t yes = 1;
  H5Tenum_insert(type, "FALSE", &no);
  H5Tenum_insert(type, "TRUE", &yes);
  if (!put(state_->id, path, name, type, type, detail::make_space({}), value ? &yes : &no))
    state_->writing_failed(state_->where(path, name));
}

void H5File::write_attribute_double(const std::string& path, const std::string& name, double value) {
  if (!put(state_->id, path, name, detail::file_type<double>(), detail::memory_type<double>(),
           detail::make_space({}), &value))
    state_->writing_failed(state_->where(path, name));
}

template <typename T>
void H5File::write_attribute(const std::string& path, const std::string& name, const std::vector<T>& values) {
  const Id space = detail::make_space({static_cast<std::int64_t>(values.size())});
  if (!put(state_->id, path, name, detail::file_type<T>(), detail::memory_type<T>(), space, values.data()))
    state_->writing_failed(state_->where(path, name));
}

#define REGULUS_INSTANTIATE(T)                                                                     \
  template std::vector<T> H5File::read_attribute<T>(const std::string&, const std::string&) const; \
  template void H5File::write_attribute<T>(const std::string&, const std::string&, const std::vector<T>&);
REGULUS_INSTANTIATE(float)
REGULUS_INSTANTIATE(double)
REGULUS_INSTANTIATE(std::int8_t)
REGULUS_INSTANTIATE(std::uint8_t)
REGULUS_INSTANTIATE(std::int32_t)
REGULUS_INSTANTIATE(std::int64_t)
#undef REGULUS_INSTANTIATE

}  // namespace regulus::storage

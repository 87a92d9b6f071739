#include <algorithm>
#include <array>

#include "hdf5_detail.h"
#include "regulus/core/fault.h"
#include "regulus/storage/half.h"

namespace regulus::storage {

using detail::Id;

namespace {

std::vector<hsize_t> unsigned_lengths(const std::vector<std::int64_t>& lengths) {
  return {lengths.begin(), lengths.end()};
}

bool fits(const Block& block, const std::vector<std::int64_t>& shape) {
  if (block.offset.size() != shape.size() || block.count.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i)
    if (block.offset[i] < 0 || block.count[i] < 0 || block.offset[i] > shape[i] - block.count[i])
      return false;
  return true;
}

void select(hid_t space, const Block& block) {
  if (detail::element_count(block.count) == 0) {
    H5Sselect_none(space);
    return;
  }
  const auto offset = unsigned_lengths(block.offset);
  const auto count = unsigned_lengths(block.count);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, offset.data(), nullptr, count.data(), nullptr);
}

/// Missing groups on the way are created.
Id create_data_set_at(hid_t file, const std::string& path, hid_t type, hid_t space, hid_t creation) {
  if (!detail::create_parents(file, path)) return Id();
  const Id links(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_char_encoding(links, H5T_CSET_UTF8);
  H5Pset_obj_track_times(creation, false);
  return Id(H5Dcreate2(file, path.c_str(), type, space, links, creation, H5P_DEFAULT));
}

/// For one transfer. A cache of chunks would read whole ones where a part is asked for, and keep compressed
/// ones until the data set is closed: when the disk is full then, HDF5 1.10 crashes at its end.
Id without_chunk_cache(Id data_set, hid_t file, const std::string& path) {
  if (!data_set.valid() || H5Pget_layout(Id(H5Dget_create_plist(data_set))) != H5D_CHUNKED) return data_set;
  const Id access(H5Pcreate(H5P_DATASET_ACCESS));
  H5Pset_chunk_cache(access, H5D_CHUNK_CACHE_NSLOTS_DEFAULT, 0, H5D_CHUNK_CACHE_W0_DEFAULT);
  H5Idec_ref(data_set.release());  // an open data set keeps the cache that it has
  return Id(H5Dopen2(file, path.c_str(), access));
}

Id creation_properties(const DataSetLayout& layout) {
  Id creation(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER);
  if (!layout.chunk.empty()) {
    const auto lengths = unsigned_lengths(layout.chunk);
    H5Pset_chunk(creation, static_cast<int>(lengths.size()), lengths.data());
  }
  if (layout.compression == 0) {
    H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
  } else {
    H5Pset_shuffle(creation);
    H5Pset_deflate(creation, static_cast<unsigned>(layout.compression));
  }
  return creation;
}

}  // namespace

Id H5File::State::open_data_set(const std::string& path) const {
  Id data_set(H5Dopen2(id, path.c_str(), H5P_DEFAULT));
  if (data_set.valid()) return data_set;
  unusable("there is no such data set (HDF5: " + detail::last_reason() + ")", where(path));
}

void H5File::State::require_numbers(hid_t type, const std::string& where_it_is) const {
  const ValueKind kind = detail::classify(type);
  if (kind != ValueKind::Integer && kind != ValueKind::Float) unusable("does not hold numbers", where_it_is);
}

std::vector<std::int64_t> H5File::shape(const std::string& data_set) const {
  const Id node = state_->open_data_set(data_set);
  return detail::extent(Id(H5Dget_space(node)));
}

ValueKind H5File::value_kind(const std::string& data_set) const {
  const Id node = state_->open_data_set(data_set);
  return detail::classify(Id(H5Dget_type(node)));
}

std::vector<std::int64_t> H5File::chunk(const std::string& data_set) const {
  const Id node = state_->open_data_set(data_set);
  const Id creation(H5Dget_create_plist(node));
  std::array<hsize_t, H5S_MAX_RANK> lengths{};
  const int rank = H5Pget_layout(creation) == H5D_CHUNKED
                       ? H5Pget_chunk(creation, static_cast<int>(lengths.size()), lengths.data())
                       : 0;
  return {lengths.begin(), lengths.begin() + std::max(rank, 0)};
}

template <typename T>
std::vector<T> H5File::read(const std::string& path) const {
  const Id data_set = state_->open_data_set(path);
  state_->require_numbers(Id(H5Dget_type(data_set)), state_->where(path));
  const Id space(H5Dget_space(data_set));
  const auto count = H5Sget_simple_extent_npoints(space);
  if (count < 0) state_->reading_failed(state_->where(path));
  auto values = detail::allocate<T>(static_cast<std::size_t>(count), state_->read_error, state_->where(path));
  if (count > 0 &&
      H5Dread(data_set, detail::memory_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0)
    state_->reading_failed(state_->where(path));
  return values;
}

template <typename T>
T H5File::read_scalar(const std::string& path) const {
  const auto values = read<T>(path);
  if (values.size() != 1) state_->unusable("is not a single number", state_->where(path));
  return values.front();
}

template <typename T>
std::vector<T> H5File::read_block(const std::string& path, const Block& block) const {
  const Id data_set = without_chunk_cache(state_->open_data_set(path), state_->id, path);
  state_->require_numbers(Id(H5Dget_type(data_set)), state_->where(path));
  const Id space(H5Dget_space(data_set));
  if (!fits(block, detail::extent(space)))
    state_->unusable("a block outside it was asked for", state_->where(path));
  const std::int64_t count = detail::element_count(block.count);
  auto values = detail::allocate<T>(static_cast<std::size_t>(count), state_->read_error, state_->where(path));
  if (count == 0) return values;
  select(space, block);
  const Id memory = detail::make_space(block.count);  // the same shape as the selection: HDF5's fast path
  if (H5Dread(data_set, detail::memory_type<T>(), memory, space, H5P_DEFAULT, values.data()) < 0)
    state_->reading_failed(state_->where(path));
  return values;
}

template <typename T>
void H5File::create_data_set(const std::string& path, const std::vector<std::int64_t>& shape,
                             const DataSetLayout& layout) {
  detail::element_count(shape);
  const Id creation = creation_properties(layout);
  const Id space = detail::make_space(shape);
  if (!create_data_set_at(state_->id, path, detail::file_type<T>(), space, creation).valid())
    state_->writing_failed(state_->where(path));
}

template <typename T>
void H5File::write(const std::string& path, const std::vector<T>& values,
                   const std::vector<std::int64_t>& shape) {
  if (detail::element_count(shape) != static_cast<std::int64_t>(values.size()))
    throw Error(ErrorKind::Internal, "the shape does not fit the number of values", state_->where(path));
  const Id creation(H5Pcreate(H5P_DATASET_CREATE));
  const Id space = detail::make_space(shape);
  const Id data_set = create_data_set_at(state_->id, path, detail::file_type<T>(), space, creation);
  if (!data_set.valid() || (!values.empty() && H5Dwrite(data_set, detail::memory_type<T>(), H5S_ALL, H5S_ALL,
                                                        H5P_DEFAULT, values.data()) < 0))
    state_->writing_failed(state_->where(path));
}

template <typename T>
void H5File::write(const std::string& path, const std::vector<T>& values) {
  write(path, values, {static_cast<std::int64_t>(values.size())});
}

template <typename T>
void H5File::write_scalar(const std::string& path, T value) {
  write(path, std::vector<T>{value}, {});
}

template <typename T>
void H5File::write_block(const std::string& path, const Block& block, std::span<const T> values) {
  if (state_->parallel) fault::point("h5_write");
  const Id data_set =
      without_chunk_cache(Id(H5Dopen2(state_->id, path.c_str(), H5P_DEFAULT)), state_->id, path);
  if (!data_set.valid()) state_->writing_failed(state_->where(path));
  const Id space(H5Dget_space(data_set));
  const std::int64_t count = detail::element_count(block.count);
  if (!fits(block, detail::extent(space)) || count != static_cast<std::int64_t>(values.size()))
    throw Error(ErrorKind::Internal, "the block does not fit the data set or its values",
                state_->where(path));
  select(space, block);
  const Id memory = detail::make_space(block.count);  // the same shape as the selection: HDF5's fast path
  if (H5Dwrite(data_set, detail::memory_type<T>(), memory, space, H5P_DEFAULT, values.data()) < 0)
    state_->writing_failed(state_->where(path));
}

std::vector<std::string> H5File::read_strings(const std::string& path) const {
  const Id data_set = state_->open_data_set(path);
  const Id type(H5Dget_type(data_set));
  if (detail::classify(type) != ValueKind::String)
    state_->unusable("does not hold text", state_->where(path));
  const Id space(H5Dget_space(data_set));
  const auto read = [&](hid_t memory, void* buffer) {
    return H5Dread(data_set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0;
  };
  std::vector<std::string> strings;
  if (!detail::read_string_elements(type, space, read, strings)) state_->reading_failed(state_->where(path));
  return strings;
}

std::vector<std::string> H5File::read_strings(const std::string& path, const Block& block) const {
  const Id data_set = state_->open_data_set(path);
  const Id type(H5Dget_type(data_set));
  if (detail::classify(type) != ValueKind::String)
    state_->unusable("does not hold text", state_->where(path));
  const Id space(H5Dget_space(data_set));
  if (!fits(block, detail::extent(space)))
    state_->unusable("a block outside it was asked for", state_->where(path));
  select(space, block);
  const Id elements = detail::make_space({detail::element_count(block.count)});
  const auto read = [&](hid_t memory, void* buffer) {
    return H5Dread(data_set, memory, elements, space, H5P_DEFAULT, buffer) >= 0;
  };
  std::vector<std::string> strings;
  if (!detail::read_string_elements(type, elements, read, strings))
    state_->reading_failed(state_->where(path));
  return strings;
}

std::vector<std::string> H5File::read_string_field(const std::string& path, const std::string& field) const {
  const Id data_set = state_->open_data_set(path);
  const Id records(H5Dget_type(data_set));
  const int member = H5Tget_class(records) == H5T_COMPOUND ? H5Tget_member_index(records, field.c_str()) : -1;
  if (member < 0) state_->unusable("has no field '" + field + "'", state_->where(path));
  const Id type(H5Tget_member_type(records, static_cast<unsigned>(member)));
  if (detail::classify(type) != ValueKind::String)
    state_->unusable("the field '" + field + "' does not hold text", state_->where(path));
  const auto read = [&](hid_t memory, void* buffer) {
    const Id record(H5Tcreate(H5T_COMPOUND, H5Tget_size(memory)));
    H5Tinsert(record, field.c_str(), 0, memory);
    return H5Dread(data_set, record, H5S_ALL, H5S_ALL, H5P_DEFAULT, buffer) >= 0;
  };
  std::vector<std::string> strings;
  if (!detail::read_string_elements(type, Id(H5Dget_space(data_set)), read, strings))
    state_->reading_failed(state_->where(path));
  return strings;
}

std::string H5File::read_string(const std::string& path) const {
  const auto strings = read_strings(path);
  if (strings.size() != 1) state_->unusable("is not a single text", state_->where(path));
  return strings.front();
}

namespace {

bool write_text(hid_t file, const std::string& path, const std::vector<std::string>& values, hid_t space) {
  const Id creation(H5Pcreate(H5P_DATASET_CREATE));
  const Id type = detail::utf8_type();
  const Id data_set = create_data_set_at(file, path, type, space, creation);
  return data_set.valid() && (values.empty() || H5Dwrite(data_set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                                         detail::pointers(values).data()) >= 0);
}

}  // namespace

void H5File::write_strings(const std::string& path, const std::vector<std::string>& values) {
  const Id space = detail::make_space({static_cast<std::int64_t>(values.size())});
  if (!write_text(state_->id, path, values, space)) state_->writing_failed(state_->where(path));
}

void H5File::write_string(const std::string& path, const std::string& value) {
  if (!write_text(state_->id, path, {value}, detail::make_space({})))
    state_->writing_failed(state_->where(path));
}

#define REGULUS_INSTANTIATE(T)                                                                   \
  template std::vector<T> H5File::read<T>(const std::string&) const;                             \
  template T H5File::read_scalar<T>(const std::string&) const;                                   \
  template std::vector<T> H5File::read_block<T>(const std::string&, const Block&) const;         \
  template void H5File::create_data_set<T>(const std::string&, const std::vector<std::int64_t>&, \
                                           const DataSetLayout&);                                \
  template void H5File::write<T>(const std::string&, const std::vector<T>&,                      \
                                 const std::vector<std::int64_t>&);                              \
  template void H5File::write<T>(const std::string&, const std::vector<T>&);                     \
  template void H5File::write_scalar<T>(const std::string&, T);                                  \
  template void H5File::write_block<T>(const std::string&, const Block&, std::span<const T>);
REGULUS_INSTANTIATE(float)
REGULUS_INSTANTIATE(double)
REGULUS_INSTANTIATE(std::int8_t)
REGULUS_INSTANTIATE(std::uint8_t)
REGULUS_INSTANTIATE(std::int32_t)
REGULUS_INSTANTIATE(std::int64_t)
#undef REGULUS_INSTANTIATE
template std::vector<Half> H5File::read_block<Half>(const std::string&, const Block&) const;
template void H5File::create_data_set<Half>(const std::string&, const std::vector<std::int64_t>&,
                                            const DataSetLayout&);
template void H5File::write_block<Half>(const std::string&, const Block&, std::span<const Half>);

}  // namespace regulus::storage

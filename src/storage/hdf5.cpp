#include "regulus/storage/hdf5.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "hdf5_detail.h"
#include "regulus/comm/agree.h"
#include "regulus/core/fault.h"

namespace regulus::storage {

using detail::Id;

namespace {

/// Names the plain reasons for which a file cannot be an HDF5 file, before HDF5 gives its own.
void check_is_hdf5(const std::filesystem::path& path, ErrorKind kind) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    detail::throw_as(kind, "does not exist", path.string(), "check the path");
  if (std::filesystem::is_directory(path, ignored))
    detail::throw_as(kind, "is a folder, not an HDF5 file", path.string(), "name the file inside it");
  if (!std::ifstream(path))
    detail::throw_as(kind, "cannot be opened for reading", path.string(), "check its permissions");
  if (H5Fis_hdf5(path.c_str()) <= 0)
    detail::throw_as(kind, "is not an HDF5 file", path.string(),
                     "check that this is the right file and that its transfer was complete");
}

/// Locks only guard against a second writer; file systems without locks must not stop a run.
Id access_properties() {
  Id properties(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_file_locking(properties, true, true);
  // The file format of HDF5 1.8 and later, with checksums on its metadata: damage is noticed.
  H5Pset_libver_bounds(properties, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
  return properties;
}

/// Values go to the file with the call that writes them: when a later one, that closes a data set, finds the
/// disk full, HDF5 1.10 crashes at its end.
Id writing_properties() {
  Id properties = access_properties();
  H5Pset_sieve_buf_size(properties, 0);
  return properties;
}

Id open_file(const std::filesystem::path& path, unsigned mode, hid_t access, ErrorKind kind) {
  Id file(H5Fopen(path.c_str(), mode, access));
  if (file.valid()) return file;
  detail::throw_as(kind, "cannot be opened as HDF5 (" + detail::last_reason() + ")", path.string(),
                   "it is truncated, damaged or in use by another program: copy it or write it again");
}

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* names) {
  static_cast<std::vector<std::string>*>(names)->emplace_back(name);
  return 0;
}

/// A first block of bytes, so that a full disk is met here: HDF5 1.10 does not recover when it meets one on
/// creation.
void write_probe(const std::filesystem::path& path) {
  const std::array<char, 4096> block{};
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  const bool written = file >= 0 && ::write(file, block.data(), block.size()) == ssize_t{block.size()};
  const int reason = errno;
  if (file >= 0) ::close(file);
  if (!written)
    throw StorageError(std::string("cannot be created: ") + std::strerror(reason), path.string(),
                       "check that its folder exists and is writable, and that there is free space");
}

/// While it lives, files may be as long as this process may ask for: what is thrown away shall not fail on a
/// limit.
class LiftedFileSizeLimit {
 public:
  LiftedFileSizeLimit() {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit highest{before_.rlim_max, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &highest);
  }
  ~LiftedFileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  LiftedFileSizeLimit(const LiftedFileSizeLimit&) = delete;
  LiftedFileSizeLimit& operator=(const LiftedFileSizeLimit&) = delete;

 private:
  rlimit before_{};
};

/// Closes a file whose pending writes are not wanted, or cannot be made (full disk: HDF5 would try them again
/// for ever). They go to memory instead.
void close_without_writing(Id file) {
  void* descriptor = nullptr;
  if (H5Fget_vfd_handle(file, H5P_DEFAULT, &descriptor) < 0) return;
  const int sink = ::memfd_create("regulus-abandoned", MFD_CLOEXEC);
  if (sink < 0) return;
  ::dup2(sink, *static_cast<int*>(descriptor));
  ::close(sink);
  const LiftedFileSizeLimit lifted;
  Id closed = std::move(file);
}

}  // namespace

H5File::H5File(std::unique_ptr<State> state) : state_(std::move(state)) {}

H5File::H5File(H5File&& other) noexcept = default;

H5File& H5File::operator=(H5File&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

H5File::~H5File() {
  if (!state_ || !state_->id.valid() || !state_->writable) return;
  // Closing a parallel file communicates, which a destructor must not: HDF5 closes it when MPI ends.
  if (state_->parallel) {
    state_->id.release();
  } else {
    close_without_writing(std::move(state_->id));
  }
}

H5File H5File::create(const std::filesystem::path& path) {
  detail::start_library();
  PartialFile partial(path);
  write_probe(partial.path());
  Id file(H5Fcreate(partial.path().c_str(), H5F_ACC_TRUNC, detail::without_times(H5P_FILE_CREATE),
                    writing_properties()));
  if (!file.valid())
    throw StorageError("cannot be created (HDF5: " + detail::last_reason() + ")", path.string(),
                       "check that its folder exists and is writable");
  auto state = std::make_unique<State>(std::move(file), path.string());
  state->partial = std::move(partial);
  state->writable = true;
  return H5File(std::move(state));
}

H5File H5File::open_read(const std::filesystem::path& path, ErrorKind on_failure) {
  detail::start_library();
  check_is_hdf5(path, on_failure);
  auto state = std::make_unique<State>(open_file(path, H5F_ACC_RDONLY, access_properties(), on_failure),
                                       path.string());
  state->read_error = on_failure;
  return H5File(std::move(state));
}

H5File H5File::open_update(const std::filesystem::path& path) {
  detail::start_library();
  check_is_hdf5(path, ErrorKind::Storage);
  return H5File(std::make_unique<State>(
      open_file(path, H5F_ACC_RDWR, writing_properties(), ErrorKind::Storage), path.string()));
}

H5File H5File::open_parallel(const std::filesystem::path& path, const comm::Communicator& comm) {
  fault::point("h5_open");
  detail::start_library();
  comm::agree(comm, "opening an HDF5 file", [&] { check_is_hdf5(path, ErrorKind::Storage); });
  const Id access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_mpio(access, comm.handle(), MPI_INFO_NULL);
  Id file;
  comm::agree(comm, "opening an HDF5 file",
              [&] { file = open_file(path, H5F_ACC_RDWR, access, ErrorKind::Storage); });
  auto state = std::make_unique<State>(std::move(file), path.string());
  state->writable = true;
  state->parallel = true;
  return H5File(std::move(state));
}

const std::string& H5File::name() const {
  return state_->name;
}

bool H5File::has(const std::string& path) const {
  if (path == "/") return true;
  for (std::size_t end = path.find('/', 1); end != std::string::npos; end = path.find('/', end + 1))
    if (H5Lexists(state_->id, path.substr(0, end).c_str(), H5P_DEFAULT) <= 0) return false;
  return H5Lexists(state_->id, path.c_str(), H5P_DEFAULT) > 0 &&
         H5Oexists_by_name(state_->id, path.c_str(), H5P_DEFAULT) > 0;
}

NodeKind H5File::kind(const std::string& path) const {
  const Id node(H5Oopen(state_->id, path.c_str(), H5P_DEFAULT));
  if (!node.valid()) state_->reading_failed(state_->where(path));
  const H5I_type_t type = H5Iget_type(node);
  if (type == H5I_GROUP) return NodeKind::Group;
  return type == H5I_DATASET ? NodeKind::DataSet : NodeKind::Other;
}

std::vector<std::string> H5File::children(const std::string& group) const {
  std::vector<std::string> names;
  if (H5Literate_by_name(state_->id, group.c_str(), H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names,
                         H5P_DEFAULT) < 0)
    state_->reading_failed(state_->where(group));
  return names;
}

void H5File::create_group(const std::string& path) {
  if (has(path)) return;
  if (!detail::create_parents(state_->id, path + "/")) state_->writing_failed(state_->where(path));
}

void H5File::copy_from(const H5File& other, const std::string& path) {
  if (H5Ocopy(other.state_->id, path.c_str(), state_->id, path.c_str(), H5P_DEFAULT, H5P_DEFAULT) < 0)
    state_->writing_failed(state_->where(path));
}

void H5File::flush() {
  if (H5Fflush(state_->id, H5F_SCOPE_GLOBAL) < 0) state_->writing_failed(state_->name);
}

void H5File::close() {
  if (state_->parallel) fault::point("h5_close");
  flush();
  if (H5Fclose(state_->id.release()) < 0) state_->writing_failed(state_->name);
  if (state_->partial) state_->partial->commit();
}

}  // namespace regulus::storage

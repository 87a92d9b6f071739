#include "raw_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "regulus/comm/agree.h"
#include "regulus/core/error.h"

namespace regulus::benchmark {

namespace {

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags)
      : value_(::open(file.c_str(), flags | O_CLOEXEC, 0666)) {
    if (value_ < 0)
      throw StorageError(std::string("cannot be opened: ") + std::strerror(errno), file.string());
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return value_; }

 private:
  int value_;
};

void write_share(int file, std::int64_t offset, std::int64_t bytes, const std::vector<char>& piece) {
  while (bytes > 0) {
    const auto count = std::min(bytes, static_cast<std::int64_t>(piece.size()));
    const auto written = ::pwrite(file, piece.data(), static_cast<std::size_t>(count), offset);
    if (written <= 0) throw StorageError(std::string("cannot be written: ") + std::strerror(errno));
    offset += written;
    bytes -= written;
  }
}

}  // namespace

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void force_to_disk(const std::filesystem::path& file) {
  if (::fsync(Descriptor(file, O_RDONLY)) != 0)
    throw StorageError(std::string("cannot be forced to disk: ") + std::strerror(errno), file.string());
}

nlohmann::json write_raw(const comm::Communicator& world, const Amount& amount) {
  const std::int64_t share = (amount.mebibytes << 20) / world.size();
  const std::vector<char> piece(static_cast<std::size_t>(amount.piece_kibibytes) << 10, 'r');
  world.barrier();
  const auto start = std::chrono::steady_clock::now();
  comm::agree_on_root(world, "creating the file",
                      [&] { Descriptor(amount.file, O_WRONLY | O_CREAT | O_TRUNC); });
  comm::agree(world, "writing",
              [&] { write_share(Descriptor(amount.file, O_WRONLY), share * world.rank(), share, piece); });
  comm::agree_on_root(world, "forcing to disk", [&] { force_to_disk(amount.file); });
  const double seconds = seconds_since(start);
  comm::agree_on_root(world, "removing", [&] { std::filesystem::remove(amount.file); });
  return {{"bytes", share * world.size()}, {"seconds", seconds}};
}

}  // namespace regulus::benchmark

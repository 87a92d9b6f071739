#include "regulus/core/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>
#include <fstream>
#include <memory>
#include <vector>

#include "regulus/core/error.h"

namespace regulus {

namespace {

/// OpenSSL's streaming digest.
class Digest {
 public:
  Digest() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1)
      throw Error(ErrorKind::Internal, "SHA-256 is not available in OpenSSL");
  }

  void update(const void* data, std::size_t bytes) { EVP_DigestUpdate(context_.get(), data, bytes); }

  std::string finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), value.data(), &length);
    std::string text;
    for (unsigned int i = 0; i < length; ++i) text += fmt::format("{:02x}", value[i]);
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256(const void* data, std::size_t bytes) {
  Digest digest;
  digest.update(data, bytes);
  return digest.finish();
}

std::string sha256_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw InputError("cannot be read", file.string(), "check the path and its permissions");
  Digest digest;
  std::vector<char> block(1U << 20U);
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    digest.update(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  return digest.finish();
}

}  // namespace regulus

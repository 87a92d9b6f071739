#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace regulus {

/// SHA-256 of a memory block, as 64 lower-case hexadecimal digits.
std::string sha256(const void* data, std::size_t bytes);

/// SHA-256 of a file's content.
/// \throws InputError if the file cannot be read
std::string sha256_file(const std::filesystem::path& file);

}  // namespace regulus

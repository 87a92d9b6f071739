#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace regulus::storage {

/// Replaces a file by this text, whole or not at all. \throws StorageError naming the file \collective no
void write_text_atomically(const std::filesystem::path& path, const std::string& text);

/// The same for bytes in several pieces. \throws StorageError \collective no
void write_bytes_atomically(const std::filesystem::path& path,
                            const std::vector<std::span<const std::byte>>& pieces);

/// Removes a file, if it is there. \throws StorageError \collective no
void remove_file(const std::filesystem::path& path);

/// The whole content of a file. \throws InputError if it is missing, a folder or unreadable \collective no
std::string read_text(const std::filesystem::path& path);

}  // namespace regulus::storage

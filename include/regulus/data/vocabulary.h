#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace regulus::data {

/// The tokens that a model knows: genes and special tokens such as "<pad>" and "<cls>", numbered from 0
/// without gaps.
class Vocabulary {
 public:
  Vocabulary() = default;
  /// \param tokens_by_id the token of each id
  /// \throws ModelError if there is none, or one is empty or given twice
  explicit Vocabulary(std::vector<std::string> tokens_by_id);

  /// Reads scGPT's vocab.json: one object, token -> id, in any order.
  /// \throws ModelError if the file is not that: no JSON, ids that are no integers, repeat or leave gaps, a
  /// repeated token
  static Vocabulary read(const std::filesystem::path& file);

  /// Writes the same layout, in the order of the ids, atomically. \throws StorageError
  void write(const std::filesystem::path& file) const;

  std::int64_t size() const { return static_cast<std::int64_t>(tokens_.size()); }
  std::optional<std::int64_t> find(const std::string& token) const;
  const std::string& token(std::int64_t id) const { return tokens_.at(static_cast<std::size_t>(id)); }

 private:
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, std::int64_t> ids_;
};

/// ASCII upper case, as BEELINE applies it to mouse symbols.
std::string upper_case(std::string symbol);

}  // namespace regulus::data

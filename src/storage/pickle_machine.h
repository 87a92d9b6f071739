#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "pickle.h"

namespace regulus::storage::pickle {

/// Values live in one list and refer to each other by their index, so that neither nesting nor a cycle makes
/// anything recurse.
using Index = std::uint32_t;

struct None {};
struct Tuple {
  std::vector<Index> items;
};
struct Dict {
  bool ordered = false;
  std::vector<std::pair<Index, Index>> items;
};
enum class Callable { OrderedDict, RebuildTensor };
struct StorageClass {
  DType dtype = DType::F32;
};
struct Storage {
  DType dtype = DType::F32;
  std::string_view key;
  std::uint64_t count = 0;
};
using Value = std::variant<None, bool, std::int64_t, std::string_view, Tuple, Dict, Callable, StorageClass,
                           Storage, Tensor>;

/// Runs a pickle of protocol 2 on a stack of values. It knows the opcodes and globals of a state dict and
/// nothing that could run code; the rest it refuses by name.
class Machine {
 public:
  Machine(std::string_view bytes, const std::string& where) : bytes_(bytes), where_(where) {}

  /// The value that the pickle leaves. \throws ModelError naming the byte
  Index run();
  const Value& value(Index index) const { return values_[index]; }

 private:
  [[noreturn]] void refuse(const std::string& what) const;
  [[noreturn]] void refuse(const std::string& what, const std::string& hint) const;

  std::string_view take(std::size_t count);
  std::uint64_t take_integer(std::size_t bytes);
  std::string_view take_line();

  void step(char opcode);
  bool step_constant(char opcode);
  bool step_tuple(char opcode);
  void check_protocol();
  void push(Value value);
  void push_index(Index index);
  Index pop();
  void push_long(std::size_t bytes);
  void push_text(std::size_t bytes);
  void push_global();
  void push_tuple(std::size_t count);
  std::vector<Index> pop_to_mark();
  void remember(std::uint64_t key);
  void recall(std::uint64_t key);
  void set_items(const std::vector<Index>& pairs);
  void load_storage();
  void call();
  void build();

  template <typename T>
  const T& as(Index index, const char* role) const;
  std::uint64_t size(Index index, const char* role) const;
  std::vector<std::int64_t> sizes(Index index, const char* role) const;
  Tensor rebuild_tensor(const Tuple& arguments) const;

  std::string_view bytes_;
  std::string where_;
  std::size_t at_ = 0;         ///< of the next byte
  std::size_t opcode_at_ = 0;  ///< of the opcode in progress
  std::vector<Value> values_;
  std::vector<Index> stack_;
  std::vector<std::size_t> marks_;  ///< heights of the stack
  std::vector<Index> memo_;         ///< index + 1 by key; 0 where nothing was put
  std::size_t tensor_count_ = 0;
};

/// The name of an opcode in Python's pickletools, or its number.
std::string opcode_name(char opcode);

}  // namespace regulus::storage::pickle

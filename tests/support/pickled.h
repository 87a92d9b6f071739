#pragma once

#include <cstdint>
#include <string>

namespace regulus::test::pickled {

// Pickles built opcode by opcode.

inline std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

inline std::string text(const std::string& value) {
  return "X" + little_endian(value.size(), 4) + value;
}

inline std::string integer(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}

inline std::string tuple(const std::string& items) {
  return "(" + items + "t";
}

inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}

inline std::string ordered_dict() {
  return global("collections", "OrderedDict") + ")R";
}

/// What a tensor's pickle says; the defaults are a float tensor of two elements in data/0.
struct Tensor {
  std::string storage_class = "FloatStorage";
  std::string key = "0";
  std::string location = "cpu";
  std::int64_t count = 2;
  std::int64_t offset = 0;
  std::string shape = tuple(integer(2));
  std::string strides = tuple(integer(1));
  std::string hooks = ordered_dict();
};

inline std::string storage(const Tensor& t) {
  return tuple(text("storage") + global("torch", t.storage_class) + text(t.key) + text(t.location) +
               integer(t.count)) +
         "Q";
}

inline std::string tensor(const Tensor& t = {}) {
  return global("torch._utils", "_rebuild_tensor_v2") +
         tuple(storage(t) + integer(t.offset) + t.shape + t.strides + "\x89" + t.hooks) + "R";
}

/// A whole pickle of protocol 2 with this content.
inline std::string pickle(const std::string& content) {
  return "\x80\x02" + content + ".";
}

/// A state dict of one tensor, and more items (key and value after each other).
inline std::string state_dict(const Tensor& t = {}, const std::string& more = "") {
  return pickle(ordered_dict() + "(" + text("a") + tensor(t) + more + "u");
}

}  // namespace regulus::test::pickled

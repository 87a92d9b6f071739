#include "pickle_machine.h"

#include <fmt/format.h>

#include <algorithm>

#include "regulus/core/error.h"
#include "regulus/core/printable.h"

namespace regulus::storage::pickle {

namespace {

// Bounds on what a hostile pickle can make of its bytes: the state dict of a model with thousands of tensors
// stays far below them.
constexpr std::size_t kMostValues = std::size_t{1} << 20U;
constexpr std::size_t kMostMarks = 100;

constexpr const char* kDamaged = "the file is damaged or no PyTorch checkpoint: copy or write it again";
constexpr const char* kTensorsOnly =
    "only the tensors of a state dict are read: write torch.save(model.state_dict(), 'NEW.pt') where the "
    "model "
    "is at hand";

}  // namespace

void Machine::refuse(const std::string& what, const std::string& hint) const {
  throw ModelError(what, fmt::format("{}, byte {}", where_, opcode_at_), hint);
}

void Machine::refuse(const std::string& what) const {
  refuse(what, kDamaged);
}

std::string_view Machine::take(std::size_t count) {
  if (count > bytes_.size() - at_) refuse("the pickle is truncated");
  at_ += count;
  return bytes_.substr(at_ - count, count);
}

std::uint64_t Machine::take_integer(std::size_t bytes) {
  std::uint64_t value = 0;
  std::size_t shift = 0;
  for (const char byte : take(bytes)) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(byte)) << shift;
    shift += 8;
  }
  return value;
}

std::string_view Machine::take_line() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) refuse("the pickle is truncated");
  const std::string_view line = take(end - at_);
  take(1);
  return line;
}

void Machine::push_index(Index index) {
  if (stack_.size() >= kMostValues) refuse("the pickle has more values than a state dict needs");
  stack_.push_back(index);
}

void Machine::push(Value value) {
  if (values_.size() >= kMostValues) refuse("the pickle has more values than a state dict needs");
  values_.push_back(std::move(value));
  push_index(static_cast<Index>(values_.size() - 1));
}

Index Machine::pop() {
  const std::size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() <= floor) refuse("the pickle takes a value that is not there");
  const Index index = stack_.back();
  stack_.pop_back();
  return index;
}

std::vector<Index> Machine::pop_to_mark() {
  if (marks_.empty()) refuse("the pickle lacks a mark");
  const auto begin = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  marks_.pop_back();
  std::vector<Index> items(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return items;
}

/// A little-endian two's complement integer, as Python writes beyond 32 bits.
void Machine::push_long(std::size_t bytes) {
  if (bytes > sizeof(std::uint64_t)) refuse("the pickle has an integer of more than 64 bits");
  std::uint64_t bits = take_integer(bytes);
  const bool negative = bytes > 0 && (bits >> (8 * bytes - 1)) != 0;
  if (negative && bytes < sizeof bits) bits |= ~std::uint64_t{0} << (8 * bytes);
  push(static_cast<std::int64_t>(bits));
}

void Machine::push_text(std::size_t bytes) {
  push(take(bytes));
}

void Machine::push_tuple(std::size_t count) {
  Tuple tuple{std::vector<Index>(count)};
  for (std::size_t i = count; i > 0; --i) tuple.items[i - 1] = pop();
  push(std::move(tuple));
}

/// Picklers number what they remember from 0, so a key beyond the number of values is none of theirs.
void Machine::remember(std::uint64_t key) {
  const Index index = pop();
  stack_.push_back(index);
  if (key >= kMostValues) refuse("the pickle remembers more values than a state dict needs");
  if (memo_.size() <= key) memo_.resize(std::max<std::size_t>(key + 1, 2 * memo_.size()));
  memo_[key] = index + 1;
}

void Machine::recall(std::uint64_t key) {
  if (key >= memo_.size() || memo_[key] == 0) refuse("the pickle refers to a value that it never remembered");
  push_index(memo_[key] - 1);
}

void Machine::push_global() {
  const std::string_view module = take_line();
  const std::string_view name = take_line();
  if (module == "collections" && name == "OrderedDict") return push(Callable::OrderedDict);
  if (module == "torch._utils" && name == "_rebuild_tensor_v2") return push(Callable::RebuildTensor);
  for (const DType dtype : {DType::F64, DType::F32, DType::F16, DType::BF16, DType::I64, DType::I32,
                            DType::I16, DType::I8, DType::U8, DType::Bool})
    if (module == "torch" && name == storage_class(dtype)) return push(StorageClass{dtype});
  refuse(fmt::format("uses the global '{}.{}'", printable(module), printable(name)), kTensorsOnly);
}

void Machine::check_protocol() {
  if (bytes_.empty() || bytes_[0] != '\x80') refuse("does not start as a pickle of protocol 2");
  take(1);
  const std::uint64_t protocol = take_integer(1);
  if (protocol != 2)
    refuse(fmt::format("is a pickle of protocol {}, not 2", protocol),
           "write it again with torch.save's default pickle_protocol");
}

bool Machine::step_constant(char opcode) {
  switch (opcode) {
    case 'N':
      push(None{});
      return true;
    case '\x88':
    case '\x89':
      push(opcode == '\x88');
      return true;
    case 'K':
      push(static_cast<std::int64_t>(take_integer(1)));
      return true;
    case 'M':
      push(static_cast<std::int64_t>(take_integer(2)));
      return true;
    case 'J':
      push_long(4);
      return true;
    case '\x8a':
      push_long(take_integer(1));
      return true;
    case 'X':
      push_text(take_integer(4));
      return true;
    case '}':
      push(Dict{});
      return true;
    case 'c':
      push_global();
      return true;
    default:
      return false;
  }
}

bool Machine::step_tuple(char opcode) {
  switch (opcode) {
    case ')':
      push_tuple(0);
      return true;
    case '\x85':
      push_tuple(1);
      return true;
    case '\x86':
      push_tuple(2);
      return true;
    case '\x87':
      push_tuple(3);
      return true;
    case 't':
      push(Tuple{pop_to_mark()});
      return true;
    default:
      return false;
  }
}

void Machine::step(char opcode) {
  if (step_constant(opcode) || step_tuple(opcode)) return;
  switch (opcode) {
    case '(':
      if (marks_.size() >= kMostMarks) refuse("the pickle is nested deeper than a state dict");
      marks_.push_back(stack_.size());
      return;
    case 'q':
      return remember(take_integer(1));
    case 'r':
      return remember(take_integer(4));
    case 'h':
      return recall(take_integer(1));
    case 'j':
      return recall(take_integer(4));
    case 's': {
      const Index item = pop();
      const Index key = pop();
      return set_items({key, item});
    }
    case 'u':
      return set_items(pop_to_mark());
    case 'Q':
      return load_storage();
    case 'R':
      return call();
    case 'b':
      return build();
    default:
      refuse(fmt::format("uses the pickle opcode {}", opcode_name(opcode)), kTensorsOnly);
  }
}

Index Machine::run() {
  check_protocol();
  while (true) {
    opcode_at_ = at_;
    const char opcode = take(1)[0];
    if (opcode == '.') break;
    step(opcode);
  }
  if (stack_.size() != 1 || !marks_.empty()) refuse("the pickle does not end with one value");
  if (at_ != bytes_.size()) refuse("the pickle has bytes after its end");
  return stack_[0];
}

}  // namespace regulus::storage::pickle

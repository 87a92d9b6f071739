// What a state dict's pickle calls and builds, and what its result must be.
#include <fmt/format.h>

#include <array>

#include "pickle_machine.h"
#include "regulus/core/error.h"
#include "regulus/core/printable.h"

namespace regulus::storage::pickle {

namespace {

constexpr std::size_t kMostDimensions = 64;  // PyTorch's own limit
constexpr std::size_t kMostTensors = std::size_t{1} << 16U;
constexpr std::size_t kLongestStorageKey = 100;

constexpr std::array<const char*, std::variant_size_v<Value>> kKinds{
    "None",   "a bool",     "an integer", "a string",  "a tuple",
    "a dict", "a function", "a class",    "a storage", "a tensor"};

}  // namespace

template <typename T>
const T& Machine::as(Index index, const char* role) const {
  const Value& found = values_[index];
  if (const T* wanted = std::get_if<T>(&found)) return *wanted;
  refuse(fmt::format("the pickle has {} as {}", kKinds[found.index()], role));
}

std::uint64_t Machine::size(Index index, const char* role) const {
  const auto number = as<std::int64_t>(index, role);
  if (number < 0) refuse(fmt::format("the pickle has {} as {}", number, role));
  return static_cast<std::uint64_t>(number);
}

std::vector<std::int64_t> Machine::sizes(Index index, const char* role) const {
  const auto& items = as<Tuple>(index, role).items;
  if (items.size() > kMostDimensions)
    refuse(fmt::format("the pickle has {} numbers as {}", items.size(), role));
  std::vector<std::int64_t> numbers;
  for (const Index item : items) numbers.push_back(static_cast<std::int64_t>(size(item, role)));
  return numbers;
}

void Machine::set_items(const std::vector<Index>& pairs) {
  if (pairs.size() % 2 != 0) refuse("the pickle gives a dict a key without a value");
  const Index target = pop();
  stack_.push_back(target);
  (void)as<Dict>(target, "a dict to fill");
  auto& items = std::get<Dict>(values_[target]).items;
  for (std::size_t i = 0; i < pairs.size(); i += 2) items.emplace_back(pairs[i], pairs[i + 1]);
}

/// ('storage', class, key, location, number of elements); where the storage once lived does not matter.
void Machine::load_storage() {
  const auto& id = as<Tuple>(pop(), "a persistent id").items;
  if (id.size() != 5 || as<std::string_view>(id[0], "a persistent id") != "storage")
    refuse("the pickle has a persistent id that is not that of a storage");
  (void)as<std::string_view>(id[3], "a storage's location");
  const auto key = as<std::string_view>(id[2], "a storage's key");
  if (key.size() > kLongestStorageKey) refuse("the pickle has a storage with an endless key");
  push(Storage{as<StorageClass>(id[1], "a storage's class").dtype, key, size(id[4], "a storage's size")});
}

/// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks).
Tensor Machine::rebuild_tensor(const Tuple& arguments) const {
  if (arguments.items.size() != 6)
    refuse(fmt::format("rebuilds a tensor from {} values instead of 6", arguments.items.size()),
           "only plain tensors are read, without conjugate or negative bits");
  const auto& items = arguments.items;
  const auto& storage = as<Storage>(items[0], "a tensor's storage");
  Tensor tensor{storage.dtype,
                std::string(storage.key),
                storage.count,
                size(items[1], "a tensor's offset"),
                sizes(items[2], "a tensor's shape"),
                sizes(items[3], "a tensor's strides")};
  (void)as<bool>(items[4], "a tensor's requires_grad");
  if (!as<Dict>(items[5], "a tensor's hooks").items.empty()) refuse("the pickle gives a tensor hooks");
  if (tensor.shape.size() != tensor.strides.size())
    refuse("the pickle has a tensor with more or fewer strides than dimensions");
  return tensor;
}

void Machine::call() {
  const Index arguments = pop();
  const Index function = pop();
  const auto& given = as<Tuple>(arguments, "the arguments of a call");
  if (as<Callable>(function, "a function") == Callable::RebuildTensor) {
    if (++tensor_count_ > kMostTensors) refuse("the pickle has more tensors than a state dict");
    return push(rebuild_tensor(given));
  }
  if (!given.items.empty()) refuse("the pickle makes an OrderedDict from arguments");
  push(Dict{true, {}});
}

/// A module's state dict carries the versions of its parts as the attribute _metadata, which no one here
/// needs.
void Machine::build() {
  const auto& state = as<Dict>(pop(), "an object's attributes").items;
  const Index target = pop();
  stack_.push_back(target);
  if (!as<Dict>(target, "an object with attributes").ordered) refuse("the pickle gives a dict attributes");
  for (const auto& item : state) {
    const auto name = as<std::string_view>(item.first, "an attribute's name");
    if (name != "_metadata" || state.size() > 1)
      refuse(fmt::format("the pickle sets the attribute '{}' of a dict", printable(name)));
  }
}

std::map<std::string, Tensor> read_state_dict(std::string_view bytes, const std::string& where) {
  Machine machine(bytes, where);
  const Value& root = machine.value(machine.run());
  const std::string remedy =
      "save the state dict alone: torch.save(model.state_dict(), 'NEW.pt'), or "
      "torch.save(checkpoint['model'], 'NEW.pt') with the key under which the checkpoint holds it";
  if (!std::holds_alternative<Dict>(root))
    throw ModelError(fmt::format("holds {}, not a state dict", kKinds[root.index()]), where, remedy);
  std::map<std::string, Tensor> tensors;
  for (const auto& [key, item] : std::get<Dict>(root).items) {
    const auto* name = std::get_if<std::string_view>(&machine.value(key));
    if (name == nullptr || !is_utf8(*name))
      throw ModelError("holds a dict with a key that is not text", where, remedy);
    const auto* tensor = std::get_if<Tensor>(&machine.value(item));
    if (tensor == nullptr)
      throw ModelError(fmt::format("holds {} under '{}', not a tensor", kKinds[machine.value(item).index()],
                                   printable(*name)),
                       where, remedy);
    if (!tensors.emplace(*name, *tensor).second)
      throw ModelError(fmt::format("names tensor '{}' twice", printable(*name)), where, "write it again");
  }
  return tensors;
}

}  // namespace regulus::storage::pickle

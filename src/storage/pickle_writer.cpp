#include <limits>

#include "pickle.h"

namespace regulus::storage::pickle {

namespace {

/// Opcodes of protocol 2, by hand: the few that a state dict needs, without remembering values.
class Writer {
 public:
  void op(char opcode) { text_ += opcode; }
  void global(std::string_view module, std::string_view name) {
    text_.append("c").append(module).append("\n").append(name).append("\n");
  }
  void text(std::string_view value) {
    op('X');
    little_endian(value.size(), 4);
    text_.append(value);
  }
  void integer(std::uint64_t value);
  void tuple(const std::vector<std::int64_t>& values);
  std::string take() { return std::move(text_); }

 private:
  void little_endian(std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) text_ += static_cast<char>((value >> (8 * i)) & 0xff);
  }

  std::string text_;
};

void Writer::integer(std::uint64_t value) {
  if (value <= std::numeric_limits<std::uint8_t>::max()) {
    op('K');
    little_endian(value, 1);
  } else if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max())) {
    op('J');
    little_endian(value, 4);
  } else {
    op('\x8a');
    little_endian(8, 1);
    little_endian(value, 8);
  }
}

void Writer::tuple(const std::vector<std::int64_t>& values) {
  op('(');
  for (const std::int64_t value : values) integer(static_cast<std::uint64_t>(value));
  op('t');
}

void write_ordered_dict(Writer& writer) {
  writer.global("collections", "OrderedDict");
  writer.op(')');
  writer.op('R');
}

void write_storage(Writer& writer, const Tensor& tensor) {
  writer.op('(');
  writer.text("storage");
  writer.global("torch", storage_class(tensor.dtype));
  writer.text(tensor.storage);
  writer.text("cpu");
  writer.integer(tensor.storage_count);
  writer.op('t');
  writer.op('Q');
}

void write_tensor(Writer& writer, const Tensor& tensor) {
  writer.global("torch._utils", "_rebuild_tensor_v2");
  writer.op('(');
  write_storage(writer, tensor);
  writer.integer(tensor.offset);
  writer.tuple(tensor.shape);
  writer.tuple(tensor.strides);
  writer.op('\x89');  // requires_grad = False
  write_ordered_dict(writer);
  writer.op('t');
  writer.op('R');
}

}  // namespace

std::string write_state_dict(const std::map<std::string, Tensor>& tensors) {
  Writer writer;
  writer.op('\x80');
  writer.op('\x02');
  write_ordered_dict(writer);
  for (const auto& [name, tensor] : tensors) {
    writer.text(name);
    write_tensor(writer, tensor);
    writer.op('s');
  }
  writer.op('.');
  return writer.take();
}

std::string_view storage_class(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return "DoubleStorage";
    case DType::F32:
      return "FloatStorage";
    case DType::F16:
      return "HalfStorage";
    case DType::BF16:
      return "BFloat16Storage";
    case DType::I64:
      return "LongStorage";
    case DType::I32:
      return "IntStorage";
    case DType::I16:
      return "ShortStorage";
    case DType::I8:
      return "CharStorage";
    case DType::U8:
      return "ByteStorage";
    case DType::Bool:
      break;
  }
  return "BoolStorage";
}

}  // namespace regulus::storage::pickle

#include "regulus/storage/safetensors.h"

#include "fuzz.h"
#include "same_tensors.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("model.safetensors");
  static const fuzz::InputFile again("again.safetensors");
  file.fill(data, size);
  fuzz::accepts_or_refuses(ErrorKind::Model, [&] {
    const auto tensors = storage::read_safetensors(file.path());
    const auto metadata = storage::read_safetensors_metadata(file.path());
    storage::write_safetensors(again.path(), tensors, metadata);
    fuzz::require_same(tensors, storage::read_safetensors(again.path()));
    fuzz::require(storage::read_safetensors_metadata(again.path()) == metadata, "other metadata");
  });
  return 0;
}

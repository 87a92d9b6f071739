// A whole PyTorch checkpoint: the zip archive and what is in it.
#include "regulus/storage/torch_checkpoint.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("model.pt");
  file.fill(data, size);
  fuzz::accepts_or_refuses(ErrorKind::Model, [&] { storage::read_torch_checkpoint(file.path()); });
  return 0;
}

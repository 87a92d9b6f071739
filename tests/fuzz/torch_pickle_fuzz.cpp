// The pickle of a PyTorch checkpoint, in an archive that is whole: its checksums would keep a mutated one
// out.
#include "fuzz.h"
#include "regulus/storage/torch_checkpoint.h"
#include "same_tensors.h"
#include "support/zip_file.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("pickle.pt");
  static const fuzz::InputFile again("again.pt");
  test::write_zip(file.path(), {{"a/data.pkl", {reinterpret_cast<const char*>(data), size}},
                                {"a/data/0", std::string(8, '\x01')},
                                {"a/data/1", std::string(48, '\x02')},
                                {"a/data/2", ""}});
  fuzz::accepts_or_refuses(ErrorKind::Model, [&] {
    const auto tensors = storage::read_torch_checkpoint(file.path());
    storage::write_torch_checkpoint(again.path(), tensors);
    fuzz::require_same(tensors, storage::read_torch_checkpoint(again.path()));
  });
  return 0;
}

#include "fuzz.h"
#include "regulus/data/vocabulary.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("vocab.json");
  static const fuzz::InputFile again("again.json");
  file.fill(data, size);
  fuzz::accepts_or_refuses(ErrorKind::Model, [&] {
    const auto vocabulary = data::Vocabulary::read(file.path());
    vocabulary.write(again.path());
    const auto copy = data::Vocabulary::read(again.path());
    fuzz::require(copy.size() == vocabulary.size(), "another size after a round trip");
    for (std::int64_t id = 0; id < copy.size(); ++id)
      fuzz::require(copy.token(id) == vocabulary.token(id), "another token after a round trip");
  });
  return 0;
}

// main() of every GoogleTest program: starts MPI, prints the failures of every rank, ends with the worst
// result.
#include <gtest/gtest.h>

#include <cstdio>

#include "regulus/comm/communicator.h"

namespace {

/// On ranks above 0 only failures are worth a line.
class FailurePrinter : public ::testing::EmptyTestEventListener {
 public:
  explicit FailurePrinter(int rank) : rank_(rank) {}

 private:
  void OnTestPartResult(const ::testing::TestPartResult& part) override {
    if (!part.failed()) return;
    std::fprintf(stderr, "[r%d] %s:%d: %s\n", rank_, part.file_name() != nullptr ? part.file_name() : "?",
                 part.line_number(), part.message());
  }

  int rank_;
};

}  // namespace

int main(int argc, char** argv) {
  regulus::comm::Environment environment(argc, argv);
  ::testing::InitGoogleTest(&argc, argv);
  regulus::comm::Communicator world = regulus::comm::Communicator::world();
  if (world.rank() != 0) {
    auto& listeners = ::testing::UnitTest::GetInstance()->listeners();
    delete listeners.Release(listeners.default_result_printer());
    listeners.Append(new FailurePrinter(world.rank()));
  }
  const int result = RUN_ALL_TESTS();
  return world.max(result);
}

#include "regulus/data/network.h"

#include <algorithm>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  static const fuzz::InputFile file("network.csv");
  file.fill(data, size);
  fuzz::accepts_or_refuses(ErrorKind::Input, [&] {
    const auto network = data::read_network(file.path());
    fuzz::require(!network.edges.empty(), "a network without edges");
    fuzz::require(std::is_sorted(network.edges.begin(), network.edges.end()), "edges out of order");
    for (const auto& edge : network.edges)
      fuzz::require(!edge.source.empty() && !edge.target.empty() && edge.source != edge.target, "a bad edge");
  });
  return 0;
}

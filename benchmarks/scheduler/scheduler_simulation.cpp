// Predicts how the tile scheduler uses many ranks, and measures what the prediction needs:
//   scheduler_simulation predict FILE OUT   scenarios and their ranks (docs/scaling.md) -> predictions
//   scheduler_simulation measure OUT        under mpirun: the counter, collectives, messages
#include <fmt/format.h>

#include <iostream>

#include "app/failure.h"
#include "measure.h"
#include "regulus/core/error.h"
#include "regulus/storage/text_file.h"
#include "scenario.h"

namespace {

using namespace regulus;

constexpr const char* kUsage = "scheduler_simulation predict FILE OUT | measure OUT";

/// Every scenario on each of its numbers of ranks. With "weak_ranks", the sources grow with the ranks and
/// are all there at that number.
nlohmann::json predict_all(const nlohmann::json& file) {
  nlohmann::json predictions = nlohmann::json::array();
  const auto seed = file.value("seed", std::uint64_t{1});
  for (const auto& entry : file.at("scenarios")) {
    const scheduler::Scenario scenario = scheduler::scenario_from(entry);
    const auto weak = entry.value("weak_ranks", std::int64_t{0});
    for (const int ranks : entry.at("ranks").get<std::vector<int>>()) {
      const std::int64_t all = scenario.job.source_count();
      const std::int64_t sources = weak > 0 ? (all * ranks + weak - 1) / weak : all;
      predictions.push_back(scheduler::predict(with_sources(scenario, sources), ranks, seed));
      predictions.back()["weak"] = weak > 0;
    }
  }
  return {{"predictions", predictions}};
}

void run(const comm::Communicator& world, const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "predict") {
    const auto file = nlohmann::json::parse(storage::read_text(arguments[1]));
    storage::write_text_atomically(arguments[2], predict_all(file).dump(1) + "\n");
  } else if (arguments.size() == 2 && arguments[0] == "measure") {
    const nlohmann::json measured = scheduler::measure(world);
    if (world.is_root()) storage::write_text_atomically(arguments[1], measured.dump(1) + "\n");
  } else {
    throw OptionError("unknown arguments", "scheduler_simulation", kUsage);
  }
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment environment(argc, argv);
  const comm::Communicator world = comm::Communicator::world();
  return app::exit_code_of(world, [&] { run(world, {argv + 1, argv + argc}); });
}

// Writes a small feature store whose every value tells its place, and can be made to die on the way:
//   store_writer FILE [kill-rank=R] [kill-write=K] [delay-us=D] [compression=C]
// Goes on with what is there. store_kill_test.py kills it and looks at the file.
#include <cstdio>
#include <map>
#include <string>

#include "counted_writes.h"
#include "regulus/comm/agree.h"
#include "regulus/storage/feature_store.h"

namespace {

using namespace regulus;
using storage::FeatureStoreHeader;
using storage::FeatureStoreWriter;

FeatureStoreHeader header() {
  FeatureStoreHeader header;
  for (int i = 0; i < 14; ++i) header.sources.push_back("S" + std::to_string(i));
  for (int i = 0; i < 30; ++i) header.targets.push_back("T" + std::to_string(i));
  header.probes = {{"gdt", 3, ""}, {"vvp", 5, ""}};
  header.tile_columns = {{"work", 2, ""}};
  header.provenance_json = "{}";
  header.job_json = R"({"seed": 1})";
  header.sources_per_tile = 4;
  header.targets_per_tile = 12;
  return header;
}

/// \see expected() in store_kill_test.py
FeatureStoreWriter::Tile tile_of(const FeatureStoreHeader& header, std::int64_t index) {
  FeatureStoreWriter::Tile tile{index, {}, {{"work", {7 * index + 1, -index - 1}}}};
  const auto block = header.plan().block(index);
  for (const auto& probe : header.probes)
    for (std::int64_t s = block.source_begin; s < block.source_begin + block.source_count; ++s)
      for (std::int64_t t = block.target_begin; t < block.target_begin + block.target_count; ++t)
        for (std::int64_t c = 0; c < probe.width; ++c)
          tile.features[probe.name].push_back(static_cast<float>(1000 * s + 10 * t + c) +
                                              (probe.name == "vvp" ? 0.5F : 0.25F));
  return tile;
}

FeatureStoreWriter open(const comm::Communicator& world, const std::string& file) {
  auto state = storage::StoreState::Absent;
  comm::agree_on_root(world, "looking", [&] { state = storage::store_state(file); });
  world.broadcast_value(state);
  return state == storage::StoreState::Absent ? FeatureStoreWriter::create(world, file, header())
                                              : FeatureStoreWriter::resume(world, file, header());
}

void write(const comm::Communicator& world, const std::string& file, int compression) {
  FeatureStoreWriter writer = open(world, file);
  std::vector<std::int64_t> todo;
  for (std::int64_t tile = 0; tile < writer.tile_count(); ++tile)
    if (writer.done()[static_cast<std::size_t>(tile)] == 0) todo.push_back(tile);
  for (std::size_t first = 0; first < todo.size(); first += static_cast<std::size_t>(world.size())) {
    std::vector<FeatureStoreWriter::Tile> mine;
    const std::size_t next = first + static_cast<std::size_t>(world.rank());
    if (next < todo.size()) mine.push_back(tile_of(header(), todo[next]));
    writer.write_round(mine);
  }
  writer.finish(R"({"finished": true})", compression);
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment environment(argc, argv);
  const comm::Communicator world = comm::Communicator::world();
  std::map<std::string, long> options{
      {"kill-rank", 0}, {"kill-write", 0}, {"delay-us", 0}, {"compression", 0}};
  for (int i = 2; i < argc; ++i) {
    const std::string option = argv[i];
    const auto equals = option.find('=');
    options.at(option.substr(0, equals)) = std::stol(option.substr(equals + 1));
  }
  test::count_writes(world.rank() == options["kill-rank"] ? options["kill-write"] : 0,
                     static_cast<unsigned>(options["delay-us"]));
  try {
    write(world, argv[1], static_cast<int>(options["compression"]));
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return exit_code(error.kind());
  }
  if (world.is_root()) std::printf("%ld writes\n", test::counted_writes());
  return 0;
}

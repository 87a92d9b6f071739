// Writes a given amount once and says how long it took: storage_benchmark MODE [options], under mpirun.
// benchmarks/storage/storage.py runs it in turns with others. Every mode counts until the file is on disk
// (fsync).
#include <fmt/ostream.h>

#include <boost/program_options.hpp>

#include "app/failure.h"
#include "raw_writer.h"
#include "regulus/core/error.h"
#include "regulus/storage/text_file.h"
#include "store_writer.h"

namespace {

using namespace regulus;
using namespace regulus::benchmark;
namespace po = boost::program_options;

constexpr const char* kUsage =
    "storage_benchmark MODE [options]; MODE is\n"
    "  raw     every rank its consecutive share of one file, in plain writes\n"
    "  store   a feature store, a tile a rank in every round\n";

struct Options {
  std::string help;  ///< its text where it was asked for
  std::string mode, out;
  Amount amount;
  StoreShape shape;
};

po::options_description describe(Options& o) {
  po::options_description options("Options");
  auto add = options.add_options();
  add("help", "shows this");
  add("mode", po::value(&o.mode)->required());
  add("file",
      po::value<std::string>()->required()->notifier([&](const std::string& file) { o.amount.file = file; }),
      "to write; removed at the end");
  add("mib", po::value(&o.amount.mebibytes)->default_value(1024), "about how much");
  add("piece-kib", po::value(&o.amount.piece_kibibytes)->default_value(4096), "raw: in one write");
  add("targets", po::value(&o.shape.targets)->default_value(2000));
  add("width", po::value(&o.shape.width)->default_value(8), "of each of two probes, vvp and gdt");
  add("sources-per-tile", po::value(&o.shape.sources_per_tile)->default_value(64));
  add("targets-per-tile", po::value(&o.shape.targets_per_tile)->default_value(0), "0: all");
  add("compression", po::value(&o.shape.compression)->default_value(0), "0 to 9, of the last step");
  add("out", po::value(&o.out), "JSON file; standard output if not given");
  return options;
}

Options parse(int argc, char** argv) {
  Options o;
  const po::options_description description = describe(o);
  try {
    po::variables_map values;
    const auto mode = po::positional_options_description().add("mode", 1);
    po::store(po::command_line_parser(argc, argv).options(description).positional(mode).run(), values);
    if (values.count("help") > 0) {
      o.help = fmt::format("{}\n{}", kUsage, fmt::streamed(description));
      return o;
    }
    po::notify(values);
  } catch (const po::error& error) {
    throw OptionError(error.what(), "storage_benchmark", std::string(kUsage));
  }
  for (const std::int64_t size : {o.amount.mebibytes, o.amount.piece_kibibytes, o.shape.targets,
                                  o.shape.width, o.shape.sources_per_tile})
    if (size < 1) throw OptionError("sizes are at least 1");
  return o;
}

nlohmann::json measure(const comm::Communicator& world, const Options& o) {
  if (o.mode == "raw") return write_raw(world, o.amount);
  if (o.mode == "store") return write_store(world, o.amount, o.shape);
  throw OptionError("unknown mode '" + o.mode + "'", "storage_benchmark", std::string(kUsage));
}

void run(const comm::Communicator& world, const Options& o) {
  if (!o.help.empty()) {
    if (world.is_root()) fmt::print("{}", o.help);
    return;
  }
  const std::string text = measure(world, o).dump(2) + "\n";
  if (!world.is_root()) return;
  if (o.out.empty())
    fmt::print("{}", text);
  else
    storage::write_text_atomically(o.out, text);
}

}  // namespace

int main(int argc, char** argv) {
  comm::Environment environment(argc, argv);
  const comm::Communicator world = comm::Communicator::world();
  return app::exit_code_of(world, [&] { run(world, parse(argc, argv)); });
}

// Measures the engine behind Backbone and PanelPass on a random model: engine_benchmark MODE [options]. One
// measurement a process, so that its peak memory is its own; benchmarks/engine/engine.py runs them all.
#include <ATen/Parallel.h>
#include <fmt/ostream.h>
#include <malloc.h>

#include <boost/program_options.hpp>
#include <cstdio>

#include "accuracy.h"
#include "app/blas.h"
#include "app/failure.h"
#include "columns.h"
#include "regulus/core/error.h"
#include "regulus/core/provenance.h"
#include "regulus/storage/text_file.h"
#include "timing.h"

namespace {

using namespace regulus;
using namespace regulus::benchmark;
namespace po = boost::program_options;

constexpr const char* kUsage =
    "engine_benchmark MODE [options]; MODE is\n"
    "  sweeps    time of a probe of one panel, rate of the machine's matrix products, peak memory\n"
    "  errors    of the derivatives, against forward-mode AD in float64\n"
    "  columns   time of a column of derivatives; writes the model and the columns for the peers\n";

struct Options {
  std::string help;  ///< its text where it was asked for
  std::string mode, probe, precision, clock, out, folder;
  Shape shape;
  std::int64_t sources = 0, grid = 0, batch = 0, sweeps = 0;
  double seconds = 0.0;
  int threads = 1;
  bool products = false;
};

po::options_description describe(Options& o) {
  po::options_description options("Options");
  auto add = options.add_options();
  const auto number = [](std::int64_t& value, std::int64_t otherwise) {
    return po::value(&value)->default_value(otherwise);
  };
  add("help", "shows this");
  add("mode", po::value(&o.mode)->required());
  add("width", number(o.shape.width, 64), "of the model, d");
  add("heads", number(o.shape.heads, 4));
  add("hidden", number(o.shape.hidden, 0), "of the feed-forward block; 0: as width");
  add("layers", number(o.shape.layers, 4));
  add("length", number(o.shape.length, 512), "of the panel, L");
  add("seed", po::value(&o.shape.seed)->default_value(1));
  add("precision", po::value(&o.precision)->default_value("float32"), "float32, float64 or bfloat16");
  add("probe", po::value(&o.probe)->default_value("vvp+gdt"), "vvp+gdt (dual passes) or osg (tangents)");
  add("sources", number(o.sources, 1));
  add("grid", number(o.grid, 8), "values per source, vvp+gdt only");
  add("batch", number(o.batch, 8), "states of one pass");
  add("seconds", po::value(&o.seconds)->default_value(1.0), "about how long to repeat");
  add("clock", po::value(&o.clock)->default_value("wall"), "wall or cpu: what a measurement counts");
  add("products", po::bool_switch(&o.products), "measure matrix products between the sweeps");
  add("sweeps", number(o.sweeps, 2), "the fewest repetitions");
  add("threads", po::value(&o.threads)->default_value(1), "OMP_NUM_THREADS should be the same");
  add("folder", po::value(&o.folder)->default_value("."), "of the model and the columns");
  add("out", po::value(&o.out), "JSON file; standard output if not given");
  return options;
}

void check(const Options& o) {
  for (const std::int64_t size : {o.shape.width, o.shape.heads, o.shape.layers, o.shape.length, o.sources,
                                  o.grid, o.batch, o.sweeps, std::int64_t{o.threads}})
    if (size < 1) throw OptionError("sizes are at least 1");
  if (o.shape.width % o.shape.heads != 0) throw OptionError("the heads must divide the width", "--heads");
  if (o.sources > o.shape.length) throw OptionError("more sources than genes", "--sources");
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
    throw OptionError(error.what(), "engine_benchmark", std::string(kUsage));
  }
  if (o.shape.hidden == 0) o.shape.hidden = o.shape.width;
  check(o);
  return o;
}

Probe probe_of(const std::string& name) {
  if (name == "vvp+gdt") return Probe::Dual;
  if (name == "osg") return Probe::Tangents;
  throw OptionError("unknown probe '" + name + "'", "--probe", "vvp+gdt or osg");
}

Clock clock_of(const std::string& name) {
  if (name == "wall") return Clock::Wall;
  if (name == "cpu") return Clock::Processor;
  throw OptionError("unknown clock '" + name + "'", "--clock", "wall or cpu");
}

nlohmann::json measure(const comm::Communicator& world, const Options& o) {
  if (o.mode == "sweeps")
    return time_sweeps(world, {.shape = o.shape,
                               .precision = o.precision,
                               .probe = probe_of(o.probe),
                               .sources = o.sources,
                               .grid = o.grid,
                               .batch = o.batch,
                               .seconds = o.seconds,
                               .sweeps = o.sweeps,
                               .clock = clock_of(o.clock),
                               .products = o.products});
  if (o.mode == "errors") return measure_errors(o.shape, o.precision);
  if (o.mode == "columns")
    return time_columns({o.shape, o.precision, o.sources, o.seconds, clock_of(o.clock), o.folder});
  throw OptionError("unknown mode '" + o.mode + "'", "engine_benchmark", std::string(kUsage));
}

void run(const comm::Communicator& world, const Options& o) {
  if (!o.help.empty()) {
    if (world.is_root()) std::fputs(o.help.c_str(), stdout);
    return;
  }
  at::set_num_threads(o.threads);
  app::set_blas_threads(o.threads);
  nlohmann::json result = measure(world, o);
  result["version"] = version();
  result["revision"] = git_revision();
  if (!world.is_root()) return;
  if (o.out.empty())
    std::puts(result.dump(2).c_str());
  else
    storage::write_text_atomically(o.out, result.dump(2) + "\n");
}

/// As regulus does: memory stays with the process.
void keep_memory() {
  constexpr int kTopPad_bytes = 256 << 20;
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, kTopPad_bytes);
}

}  // namespace

int main(int argc, char** argv) {
  keep_memory();
  comm::Environment environment(argc, argv);
  const comm::Communicator world = comm::Communicator::world();
  return app::exit_code_of(world, [&] { run(world, parse(argc, argv)); });
}

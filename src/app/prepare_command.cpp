#include "regulus/data/prepare.h"

#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/data/h5ad.h"

namespace regulus::app {

namespace {

void declare(po::options_description& description) {
  auto add = description.add_options();
  add("input", list<std::string>()->value_name("FILE..."),
      "expression: .h5ad, .h5 of 10x Genomics, a MatrixMarket folder or its matrix.mtx, .csv, .tsv or .txt "
      "(text also .gz); several are joined over all their genes");
  add("out", po::value<std::string>()->value_name("FILE.h5ad"), "the AnnData file to write");
  add("orientation", po::value<std::string>()->default_value("auto")->value_name("WAY"),
      "of text tables: auto, genes-by-cells or cells-by-genes");
  add("normalise", po::value<std::string>()->default_value("auto")->value_name("HOW"),
      "auto (counts: log1p-cp10k, log-normalised values: none), none, log1p-cp10k (natural logarithm of 1 + "
      "counts per 10,000 of the cell) or log1p-median (of 1 + counts per median cell total)");
  add("layer", po::value<std::string>()->value_name("NAME"), "of .h5ad: read layers/NAME in place of X");
  add("raw", po::bool_switch(), "of .h5ad: read raw/X with the genes of raw/var in place of X");
  add("genome", po::value<std::string>()->value_name("NAME"),
      "of .h5 of 10x Genomics: which of several genomes");
  add("upper-case", po::bool_switch(), "gene symbols in upper case, as BEELINE's networks have them");
}

data::PrepareOptions prepare_options(const Options& options) {
  data::PrepareOptions result;
  for (const auto& file : options.get<std::vector<std::string>>("input")) result.inputs.emplace_back(file);
  result.orientation = data::parse_orientation(options.get<std::string>("orientation"));
  result.normalise = data::parse_normalise(options.get<std::string>("normalise"));
  if (options.given("layer")) result.matrix.layer = options.get<std::string>("layer");
  result.matrix.raw = options.get<bool>("raw");
  if (result.matrix.raw && !result.matrix.layer.empty())
    throw OptionError("a layer and the raw values are two matrices", "--raw", "give --layer or --raw");
  if (options.given("genome")) result.genome = options.get<std::string>("genome");
  result.upper_case = options.get<bool>("upper-case");
  return result;
}

std::filesystem::path output_file(const Options& options) {
  std::filesystem::path out = options.get<std::string>("out");
  if (out.extension() != ".h5ad") throw OptionError("'" + out.string() + "' does not end in .h5ad", "--out");
  return out;
}

void require_separate(const std::vector<std::filesystem::path>& inputs, const std::filesystem::path& out) {
  std::error_code absent;
  for (const auto& input : inputs)
    if (std::filesystem::equivalent(input, out, absent))
      throw OptionError("'" + out.string() + "' is an input too and would be replaced", "--out",
                        "give the output another name");
}

void prepare_and_write(Session& session, const data::PrepareOptions& options,
                       const std::filesystem::path& out) {
  require_separate(options.inputs, out);
  session.provenance.start_phase("read and normalise");
  const data::Prepared prepared = data::prepare(options);
  session.provenance.start_phase("hash inputs");
  for (const auto& input : options.inputs) session.provenance.add_input(input);
  session.provenance.end_phase();
  data::write_h5ad(out, prepared.expression,
                   {prepared.scale, session.provenance.to_json().dump(), prepared.dataset});
  log::info("{}: {} cells x {} genes, {}", out.string(), prepared.expression.cell_count(),
            prepared.expression.gene_count(), to_string(prepared.scale));
}

void run(Session& session) {
  const data::PrepareOptions options = prepare_options(session.options);
  const std::filesystem::path out = output_file(session.options);
  comm::agree_on_root(session.world, "prepare", [&] { prepare_and_write(session, options, out); });
}

}  // namespace

Command prepare_command() {
  return {"prepare", "Turn expression tables into one normalised AnnData file", declare, run, "input"};
}

}  // namespace regulus::app

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "commands.h"
#include "regulus/backbone/transformer.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/core/progress.h"
#include "regulus/data/expression.h"
#include "regulus/data/gene_list.h"
#include "regulus/probe/grid.h"
#include "regulus/probe/model_broadcast.h"
#include "regulus/probe/panel.h"
#include "regulus/probe/runner.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

void declare(po::options_description& options) {
  options.add_options()("model", po::value<std::string>(),
                        "model folder: args.json, vocab.json, model.safetensors")(
      "expression", po::value<std::string>(),
      "prepared .h5ad: the genes, and the cells of backgrounds and of osg")(
      "genes", po::value<std::string>(), "gene list, one symbol a line (default: the genes of --expression)")(
      "sources", po::value<std::string>(), "TF list, one symbol a line (default: every gene)")(
      "features", list<std::string>({"vvp", "gdt"}, "vvp,gdt"), "features: vvp, gdt, osg, emb")(
      "background", po::value<std::string>()->default_value("virtual"),
      "state of the other genes for vvp and gdt: virtual, mean or cells")(
      "background-cells", po::value<std::int64_t>()->default_value(16), "cells of --background cells")(
      "cells", po::value<std::int64_t>()->default_value(64), "cells of osg")(
      "grid", po::value<std::string>()->default_value("8"),
      "values of vvp and gdt: a number of even points over (0, v_max], or the values, comma-separated, in "
      "the model's input units")("perturbation-grid", po::value<std::string>(),
                                 "values of vvp alone (default: --grid)")(
      "gradient-grid", po::value<std::string>(), "values of gdt alone (default: --grid)")(
      "v-b", po::value<double>()->default_value(0.0), "background value v_b, in the model's input units")(
      "cls", po::value<std::string>()->default_value("auto"),
      "lead the panel with <cls>: auto (as the model was trained), on or off")(
      "cls-value", po::value<double>(), "input value of <cls> (default: the model's pad value)")(
      "sources-per-tile", po::value<std::int64_t>()->default_value(8),
      "sources in a tile, the unit of output")("out", po::value<std::string>(),
                                               "feature store to write (.h5)");
}

/// Checks the list of features and switches them on.
void choose_features(const Options& options, probe::ProbeJob& job) {
  for (const std::string& feature : options.get<std::vector<std::string>>("features")) {
    if (feature == "vvp")
      job.vvp = true;
    else if (feature == "gdt")
      job.gdt = true;
    else if (feature == "osg")
      job.osg = true;
    else if (feature == "emb")
      job.emb = true;
    else
      throw OptionError("'" + feature + "' is not available", "--features",
                        "this version computes vvp, gdt, osg and emb");
  }
  if (!job.vvp && !job.gdt && !job.osg && !job.emb) throw OptionError("no feature asked for", "--features");
}

void choose_grids(const Options& options, double value_max, probe::ProbeJob& job) {
  const auto grid = [&](const char* own) {
    const char* name = options.given(own) ? own : "grid";
    return probe::parse_grid(options.get<std::string>(name), value_max, std::string("--") + name);
  };
  job.v_b = options.get<double>("v-b");
  if (job.vvp) job.perturbation_grid = grid("perturbation-grid");
  if (job.gdt) job.gradient_grid = grid("gradient-grid");
}

void choose_cls(const Options& options, const backbone::Model& model, probe::ProbeJob& job) {
  const std::string& mode = options.one_of("cls", {"auto", "on", "off"});
  const auto id = model.vocabulary.find("<cls>");
  if (mode == "on" && !id) throw OptionError("the model's vocabulary has no <cls>", "--cls", "use --cls off");
  if (mode == "on" || (mode == "auto" && model.config.input.cls && id)) job.cls_id = id;
  job.cls_value = options.given("cls-value") ? options.get<double>("cls-value") : model.config.input.cls_value;
}

bool needs_cells(const Options& options, const probe::ProbeJob& job) {
  return job.osg || ((job.vvp || job.gdt) && options.get<std::string>("background") != "virtual");
}

std::optional<data::Expression> read_cells(Session& session, const probe::ProbeJob& job) {
  const Options& options = session.options;
  options.one_of("background", {"virtual", "mean", "cells"});
  if (options.given("expression"))
    return data::read_expression(session.world, options.get<std::string>("expression"));
  if (needs_cells(options, job))
    throw OptionError("osg and the backgrounds mean and cells need cells", "--expression",
                      "give a prepared .h5ad");
  if (!options.given("genes")) throw OptionError("give --genes or --expression", "--genes");
  return std::nullopt;
}

std::vector<std::string> read_list(const comm::Communicator& world, const Options& options,
                                   const char* option) {
  std::vector<std::string> names;
  if (!options.given(option)) return names;
  comm::agree_on_root(world, "reading a gene list",
                      [&] { names = data::read_gene_list(options.get<std::string>(option)); });
  world.broadcast(names);
  return names;
}

void choose_backgrounds(const Session& session, const std::optional<data::Expression>& expression,
                        probe::ProbeJob& job) {
  const Options& options = session.options;
  const std::string& background = options.get<std::string>("background");
  const auto count = options.in_range<std::int64_t>("background-cells", 1, 1 << 16);
  const auto cells = options.in_range<std::int64_t>("cells", 1, 1 << 16);
  if (job.vvp || job.gdt) {
    if (background == "virtual")
      job.backgrounds = probe::virtual_background(job);
    else if (background == "mean")
      job.backgrounds = probe::mean_background(job, *expression);
    else
      job.backgrounds = probe::sample_cells(job, *expression, count, session.seed);
  }
  if (job.osg) job.cells = probe::sample_cells(job, *expression, cells, session.seed);
}

std::string lines(const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return text;
}

/// What was not mapped goes into a file beside the output, never silently dropped.
void report_unmapped(const Session& session, const std::string& out, const probe::PanelReport& report) {
  const auto tell = [&](const std::vector<std::string>& names, const char* suffix, const char* what) {
    if (names.empty()) return;
    storage::write_text_atomically(out + suffix, lines(names));
    log::warning("{} {}: listed in {}", names.size(), what, out + suffix);
  };
  comm::agree_on_root(session.world, "listing unmapped genes", [&] {
    tell(report.unknown_genes, ".unknown_genes.txt", "genes are not in the model's vocabulary");
    tell(report.unknown_sources, ".unknown_sources.txt", "sources are not genes of the panel");
  });
}

probe::ProbeJob describe_job(Session& session, const backbone::Model& model) {
  const Options& options = session.options;
  probe::ProbeJob job;
  choose_features(options, job);
  choose_grids(options, model.config.input.value_max, job);
  choose_cls(options, model, job);
  job.sources_per_tile = options.in_range<std::int64_t>("sources-per-tile", 1, 4096);
  const auto expression = read_cells(session, job);
  const auto sources = read_list(session.world, options, "sources");
  const auto genes = options.given("genes") ? read_list(session.world, options, "genes") : expression->genes;
  const auto report = probe::set_panel(job, model.vocabulary, genes, sources);
  report_unmapped(session, options.get<std::string>("out"), report);
  choose_backgrounds(session, expression, job);
  if (job.gene_count() > model.config.input.max_panel)
    log::info("the panel has {} genes; the model was trained on panels of up to {}", job.gene_count(),
              model.config.input.max_panel);
  return job;
}

storage::FeatureStoreHeader header_of(const Session& session, const backbone::Model& model,
                                      const probe::ProbeJob& job) {
  storage::FeatureStoreHeader header;
  header.targets = job.genes;
  for (const std::int64_t source : job.sources)
    header.sources.push_back(job.genes[static_cast<std::size_t>(source)]);
  header.probes = probe::feature_columns(job, model.config.width);
  header.grids = {
      {"perturbation", job.perturbation_grid}, {"gradient", job.gradient_grid}, {"v_b", {job.v_b}}};
  header.background = session.options.get<std::string>("background");
  header.checkpoint_sha256 = model.checkpoint_sha256;
  header.provenance_json = session.provenance.to_json().dump();
  header.sources_per_tile = job.sources_per_tile;
  return header;
}

void record_inputs(const Session& session) {
  comm::agree_on_root(session.world, "hashing the inputs", [&] {
    for (const char* option : {"model", "expression", "genes", "sources"})
      if (session.options.given(option))
        session.provenance.add_input(session.options.get<std::string>(option));
  });
}

void run(Session& session) {
  const std::string& out = session.options.get<std::string>("out");
  session.provenance.start_phase("read");
  const backbone::Model model = probe::load_model(session.world, session.options.get<std::string>("model"));
  const probe::ProbeJob job = describe_job(session, model);
  record_inputs(session);
  const auto backbone = backbone::make_transformer(model, {});
  log::info("probing {} sources x {} targets; {} backgrounds, {} cells of osg", job.source_count(),
            job.gene_count(), job.backgrounds.rows(), job.cells.rows());
  storage::FeatureStoreWriter store(session.world, out, header_of(session, model, job));
  session.provenance.start_phase("probe");
  {
    Progress progress("probe", probe::units_of_rank(session.world, job), "units", session.progress);
    probe::run(session.world, *backbone, job, store, progress);
  }
  session.provenance.end_phase();
  store.finish(session.provenance.to_json().dump());
  log::info("wrote {}", out);
}

}  // namespace

Command probe_command() {
  return {"probe", "responses of a frozen model to every source, as features of every pair", declare, run};
}

}  // namespace regulus::app

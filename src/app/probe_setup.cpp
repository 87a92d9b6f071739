#include "probe_setup.h"

#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "device.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/data/gene_list.h"
#include "regulus/data/mapping_report.h"
#include "regulus/probe/grid.h"
#include "regulus/probe/model_broadcast.h"
#include "regulus/probe/panel.h"
#include "regulus/probe/tile_panel.h"
#include "regulus/probe/tile_work.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

using Strings = std::vector<std::string>;
using Reader = std::shared_ptr<const data::CellReader>;

/// Checks the list of features and switches them on.
void choose_features(const Options& options, const FeatureChoice& choice, const backbone::Backbone& model,
                     probe::ProbeJob& job) {
  const std::map<std::string, bool*> switches{{"vvp", &job.vvp},   {"gdt", &job.gdt},   {"osg", &job.osg},
                                              {"pert", &job.pert}, {"attn", &job.attn}, {"emb", &job.emb}};
  job.spread = choice.spread;
  for (const std::string& feature : choice.features) {
    const auto found = switches.find(feature);
    if (found == switches.end())
      throw OptionError("'" + feature + "' is not a feature", "--features",
                        "choose from vvp, gdt, osg, pert, attn and emb");
    *found->second = true;
  }
  if (options.get<std::string>("precision") == "bfloat16" && !job.gdt && !job.osg)
    throw OptionError("only gdt and osg are computed in bfloat16", "--precision bfloat16",
                      "ask for one of them, or use float32");
  const std::string no_derivative = model.no_derivative();
  if ((job.gdt || job.osg) && !no_derivative.empty())
    throw OptionError("gdt and osg are derivatives, but " + no_derivative, "--features",
                      "leave gdt and osg out");
  if (job.attn && model.attention_layers() == 0)
    throw OptionError("attn is not available: the model does not show its attention", "--features",
                      "leave attn out");
  if (job.emb && model.embedding_width() == 0)
    throw OptionError("emb is not available: the model does not show its embeddings", "--features",
                      "leave emb out");
  const bool all_layers = options.one_of("attention", {"last", "all"}) == "all";
  job.attention_width = all_layers ? model.attention_layers() : 1;
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

void choose_cls(const Options& options, const backbone::Backbone& model, probe::ProbeJob& job) {
  const std::string& mode = options.one_of("cls", {"auto", "on", "off"});
  const auto id = model.vocabulary().find("<cls>");
  if (mode == "on" && !id) throw OptionError("the model's vocabulary has no <cls>", "--cls", "use --cls off");
  if (mode == "on" || (mode == "auto" && model.input().cls && id)) job.cls_id = id;
  job.cls_value = options.given("cls-value") ? options.get<double>("cls-value") : model.input().cls_value;
  if (options.get<std::string>("read-out") == "mvc" && !job.cls_id)
    log::common_warning("--read-out mvc without <cls>: the panel's first gene stands for the cell");
}

/// Whether all genes share a panel, and how many targets share one if not.
void choose_panels(const Options& options, const backbone::Backbone& model, probe::ProbeJob& job) {
  job.sources_per_tile = options.in_range<std::int64_t>("sources-per-tile", 1, 4096);
  const std::string& plan = options.one_of("panel-plan", {"auto", "single", "tiled"});
  if (plan == "single" && options.given("context"))
    throw OptionError("means nothing with one panel for all genes", "--context", "use --panel-plan tiled");
  const std::int64_t context =
      options.given("context") ? options.in_range<std::int64_t>("context", 2) : model.input().max_panel;
  const std::int64_t longest = context - (job.cls_id ? 1 : 0);
  if (plan != "single" && (plan == "tiled" || job.gene_count() > longest))
    job.targets_per_tile = probe::targets_within(job.gene_count(), job.sources_per_tile, longest);
  else if (job.gene_count() > longest)
    log::info("the panel has {} genes; the model was trained on panels of up to {}", job.gene_count(),
              longest);
  if (job.plan().target_blocks() > 1)
    log::info("{} panels of up to {} genes for each block of {} sources", job.plan().target_blocks(),
              job.targets_per_tile + job.sources_per_tile, job.sources_per_tile);
}

/// Options that mean nothing for the features asked for are mistakes.
void choose_backgrounds(const Options& options, probe::ProbeJob& job) {
  const std::string& background = options.one_of("background", {"virtual", "uniform", "mean", "cells"});
  job.uniform = background == "uniform";
  job.reference_is_background = background == "virtual" || job.uniform;
  if (job.uniform && !job.gdt)
    throw OptionError("uniform is a background of gdt alone", "--background", "ask for gdt, or use virtual");
  if (job.spread && background != "cells")
    throw OptionError("there is one background, so nothing spreads", "--spread",
                      "use --background cells, or leave it out");
  if (job.spread && !job.needs_backgrounds())
    throw OptionError("only vvp, gdt and attn spread over backgrounds", "--spread", "leave it out");
}

bool needs_cells(const Options& options, const probe::ProbeJob& job) {
  const std::string& background = options.get<std::string>("background");
  return job.osg || job.pert || (job.needs_backgrounds() && (background == "mean" || background == "cells"));
}

/// Every rank opens the file for itself and reads the cells of its own units.
Reader open_cells(const Session& session, const probe::ProbeJob& job) {
  const Options& options = session.options;
  Reader reader;
  if (options.given("expression")) {
    comm::agree(session.world, "opening the expression file", [&] {
      reader = std::make_shared<const data::CellReader>(options.get<std::string>("expression"));
    });
    return reader;
  }
  if (needs_cells(options, job))
    throw OptionError("osg, pert and the backgrounds mean and cells need cells", "--expression",
                      "give a prepared .h5ad");
  if (options.given("cells-where"))
    throw OptionError("there are no cells to choose from", "--cells-where", "give --expression");
  if (!options.given("genes")) throw OptionError("give --genes or --expression", "--genes");
  return reader;
}

Strings read_list(const Session& session, const char* option) {
  Strings names;
  if (!session.options.given(option)) return names;
  comm::agree_on_root(session.world, "reading a gene list",
                      [&] { names = data::read_gene_list(session.options.get<std::string>(option)); });
  session.world.broadcast(names);
  return names;
}

probe::GeneNames gene_names(const Session& session, const backbone::Backbone& model) {
  probe::GeneNames names{model.vocabulary(), {}};
  if (session.options.given("aliases"))
    comm::agree(session.world, "reading the aliases",
                [&] { names.aliases = data::AliasTable::read(session.options.get<std::string>("aliases")); });
  return names;
}

std::string lines(const Strings& names) {
  std::string text;
  for (const auto& name : names) text += name + "\n";
  return text;
}

/// How every gene was found goes into files beside the output, never silently dropped.
void report_genes(const Session& session, const probe::GeneNames& names, const Strings& genes,
                  const probe::PanelReport& report, const std::string& beside) {
  comm::agree_on_root(session.world, "reporting the genes", [&] {
    const std::string see = beside.empty() ? "" : ": see " + beside + ".genes.tsv";
    log::info("{}{}", data::mapping_summary(report.genes), see);
    if (!report.unknown_sources.empty())
      log::warning("{} sources are not genes of the panel{}", report.unknown_sources.size(),
                   beside.empty() ? "" : ": listed in " + beside + ".unknown_sources.txt");
    if (beside.empty()) return;
    storage::write_text_atomically(beside + ".genes.tsv",
                                   data::mapping_table(report.genes, genes, names.vocabulary));
    if (!report.unknown_sources.empty())
      storage::write_text_atomically(beside + ".unknown_sources.txt", lines(report.unknown_sources));
  });
}

/// What happens when the model knows few of the genes.
void require_enough(const Session& session, const probe::GeneNames& names, const probe::PanelReport& report) {
  const Options& options = session.options;
  const auto least = options.in_range<double>("min-mapped", 0.0, 1.0);
  const std::string where =
      options.given("genes") ? options.get<std::string>("genes") : options.get<std::string>("expression");
  if (options.one_of("few-mapped", {"stop", "warn"}) == "stop") {
    data::require_hits(report.genes, names.vocabulary, least, where);
    return;
  }
  const double share =
      static_cast<double>(report.genes.ids.size()) / static_cast<double>(report.genes.matches.size());
  if (share < least)
    log::common_warning("{}: the model knows {:.1f} % of the genes, fewer than --min-mapped asks for", where,
                        100.0 * share);
}

/// The cells that may be used: those that --cells-where chooses, else all.
std::vector<std::int64_t> pool_of(const Session& session, const data::CellReader& reader) {
  const Options& options = session.options;
  std::vector<std::int64_t> pool;
  if (!options.given("cells-where")) {
    pool.resize(static_cast<std::size_t>(reader.cell_count()));
    std::iota(pool.begin(), pool.end(), 0);
    return pool;
  }
  const std::string& choice = options.get<std::string>("cells-where");
  const std::size_t equals = choice.find('=');
  if (equals == std::string::npos || equals == 0)
    throw OptionError("'" + choice + "' is not COLUMN=VALUE", "--cells-where",
                      "name a column of obs and a value in it");
  comm::agree(session.world, "choosing cells",
              [&] { pool = reader.cells_where(choice.substr(0, equals), choice.substr(equals + 1)); });
  log::info("{} of {} cells have {}", pool.size(), reader.cell_count(), choice);
  return pool;
}

std::vector<float> mean_of_panel(const Session& session, const data::CellReader& reader,
                                 const std::vector<std::int64_t>& pool,
                                 const std::vector<std::int64_t>& columns, const probe::CellInput& input) {
  const std::vector<double> means =
      data::mean_of_cells(session.world, reader, pool, probe::transform_of(input));
  std::vector<float> row;
  for (const std::int64_t column : columns)
    row.push_back(static_cast<float>(means[static_cast<std::size_t>(column)]));
  return row;
}

probe::CellInput cell_input(const Session& session, const backbone::Backbone& model) {
  const std::string& binning = session.options.one_of("binning", {"auto", "on", "off"});
  if (binning == "on" && model.input().bins == 0)
    throw OptionError("the model does not say into how many bins", "--binning on",
                      "its args.json needs input_style binned and n_bins");
  return {binning == "off" ? 0 : model.input().bins, session.seed};
}

void read_cells(const Session& session, const backbone::Backbone& model, const Reader& reader,
                const std::vector<std::int64_t>& columns, probe::ProbeJob& job) {
  const Options& options = session.options;
  constexpr std::int64_t kMostCells = std::int64_t{1} << 31;
  constexpr std::size_t kMostCellBytes = std::size_t{128} << 20U;
  const std::string& background = options.get<std::string>("background");
  const probe::CellInput input = cell_input(session, model);
  const std::vector<std::int64_t> pool = pool_of(session, *reader);
  const auto sample = [&](const char* option) {
    auto rows = std::make_shared<probe::CellRows>(
        reader,
        probe::sample_cells(pool, options.in_range<std::int64_t>(option, 1, kMostCells), session.seed),
        columns, input);
    return comm::agree(session.world, "reading the cells", [&] {
      return probe::kept_in_memory(std::move(rows), job.gene_count(), kMostCellBytes);
    });
  };
  if (job.pert || background == "mean") job.mean = mean_of_panel(session, *reader, pool, columns, input);
  if (background == "mean") job.backgrounds = std::make_shared<probe::FixedRows>(job.gene_count(), job.mean);
  if (background == "cells" && job.needs_backgrounds()) job.backgrounds = sample("background-cells");
  if (job.osg) job.cells = sample("cells");
}

}  // namespace

void declare_probe_options(po::options_description& options) {
  auto add = options.add_options();
  const auto text = [](const char* value) { return po::value<std::string>()->default_value(value); };
  add("model", po::value<std::string>(),
      "model folder (args.json, vocab.json, model.safetensors or best_model.pt), one of its checkpoints, or "
      "torchscript:FOLDER (model.pt, vocab.json)");
  add("expression", po::value<std::string>(),
      "prepared .h5ad: the genes, and the cells of backgrounds, osg and pert");
  add("genes", po::value<std::string>(), "gene list, one symbol a line (default: the genes of --expression)");
  add("sources", po::value<std::string>(), "TF list, one symbol a line (default: every gene)");
  add("aliases", po::value<std::string>(), "table of aliases or orthologs: alias, symbol (.tsv, .csv)");
  add("min-mapped", po::value<double>()->default_value(0.5, "0.5"),
      "least share of the genes that the model must know");
  add("few-mapped", text("stop"), "below it: stop or warn");
  add("background", text("virtual"),
      "state of the other genes: virtual (v_b), uniform (gdt with every gene at the grid's value), mean or "
      "cells");
  add("background-cells", po::value<std::int64_t>()->default_value(16), "cells of --background cells");
  add("cells", po::value<std::int64_t>()->default_value(64), "cells of osg");
  add("cells-where", po::value<std::string>(),
      "use only the cells with COLUMN=VALUE in obs, such as cell_type=B");
  add("binning", text("auto"),
      "bin the values of each cell by its quantiles: auto (as the model was trained), on or off");
  add("grid", text("8"),
      "values of vvp and gdt: a number of even points over (0, v_max], or the values, comma-separated, in "
      "the model's input units");
  add("perturbation-grid", po::value<std::string>(), "values of vvp alone (default: --grid)");
  add("gradient-grid", po::value<std::string>(), "values of gdt alone (default: --grid)");
  add("v-b", po::value<double>()->default_value(0.0), "background value v_b, in the model's input units");
  add("attention", text("last"), "layers of attn: last or all");
  add("read-out", text("expression"), "the model's prediction: expression (its decoder) or mvc");
  add("batch-label", po::value<std::int64_t>(), "batch label, for models that take one");
  add("cls", text("auto"), "lead the panel with <cls>: auto (as the model was trained), on or off");
  add("cls-value", po::value<double>(), "input value of <cls> (default: as the model was trained)");
  add("panel-plan", text("auto"),
      "single: all genes in one panel; tiled: a panel of --context genes for each tile; auto: single while "
      "the "
      "genes fit the panels that the model was trained on");
  add("context", po::value<std::int64_t>(),
      "longest panel of the plan tiled, in genes, <cls> included (default: as the model was trained)");
  add("sources-per-tile", po::value<std::int64_t>()->default_value(8),
      "sources in a tile, the unit of work, output and restart");
}

void declare_feature_options(po::options_description& options) {
  auto add = options.add_options();
  add("features", list<std::string>({"vvp", "gdt"}, "vvp,gdt"), "features: vvp, gdt, osg, pert, attn, emb");
  add("spread", po::bool_switch(),
      "also the standard deviation of vvp, gdt and attn over --background cells");
}

FeatureChoice chosen_features(const Options& options) {
  return {options.get<Strings>("features"), options.get<bool>("spread")};
}

backbone::TransformerOptions transformer_options(const Session& session) {
  const Options& options = session.options;
  backbone::TransformerOptions result;
  const bool scripted = probe::is_scripted(options.get<std::string>("model"));
  if (!scripted || options.get<std::string>("device") == "cuda")
    result.device = choose_device(session.world, options);
  if (options.get<std::string>("precision") == "bfloat16") result.precision = at::kBFloat16;
  if (options.one_of("read-out", {"expression", "mvc"}) == "mvc") result.read_out = backbone::ReadOut::Mvc;
  if (options.given("batch-label")) result.batch_label = options.get<std::int64_t>("batch-label");
  return result;
}

probe::ProbeJob describe_probe(const Session& session, const backbone::Backbone& model,
                               const FeatureChoice& choice, const std::string& report_beside) {
  const Options& options = session.options;
  probe::ProbeJob job;
  choose_features(options, choice, model, job);
  choose_backgrounds(options, job);
  choose_grids(options, model.input().value_max, job);
  choose_cls(options, model, job);
  const Reader reader = open_cells(session, job);
  const probe::GeneNames names = gene_names(session, model);
  const Strings sources = read_list(session, "sources");
  const Strings genes = options.given("genes") ? read_list(session, "genes") : reader->genes();
  const probe::PanelReport report = probe::set_panel(job, names, genes, sources);
  require_enough(session, names, report);
  report_genes(session, names, genes, report, report_beside);
  choose_panels(options, model, job);
  job.backgrounds = probe::virtual_background(job);
  if (needs_cells(options, job)) {
    const auto columns = comm::agree(session.world, "finding the panel's genes",
                                     [&] { return probe::columns_of_panel(job, names, *reader); });
    read_cells(session, model, reader, columns, job);
  }
  job.sources_per_part = probe::sources_of_part(job, model.pass_shape());
  return job;
}

}  // namespace regulus::app

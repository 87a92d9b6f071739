#include <filesystem>

#include "commands.h"
#include "regulus/backbone/model_folder.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/pretrain/trainer.h"
#include "regulus/storage/text_file.h"
#include "stop_rule.h"

namespace regulus::app {

namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLargestSize = 1 << 20;
constexpr std::int64_t kLargestCount = std::int64_t{1} << 40;

void declare(po::options_description& description) {
  const pretrain::PretrainOptions defaults;
  const pretrain::SamplerOptions sampling;
  const pretrain::RunControl control;
  auto add = description.add_options();
  const auto count = [](std::int64_t value) {
    return po::value<std::int64_t>()->default_value(value)->value_name("N");
  };
  const auto real = [](double value, const char* shown) {
    return po::value<double>()->default_value(value, shown)->value_name("X");
  };
  add("expression", list<std::string>()->value_name("FILE..."),
      "expression files (.h5ad of prepare or simulate)");
  add("out", po::value<std::string>()->value_name("DIR"), "model folder to write, with loss.csv");
  add("overwrite", po::bool_switch(), "replace a model, or an interrupted run, in --out");
  add("layers", count(3), "transformer layers");
  add("heads", count(4), "attention heads; must divide --width");
  add("width", count(64), "width of the gene and value embeddings");
  add("hidden", count(128), "width of the feed-forward blocks");
  add("panel", count(sampling.panel), "genes shown to the model at once");
  add("mask", real(sampling.mask, "0.4"), "share of the panel to predict from the rest");
  add("corrupt", real(sampling.corrupt, "0"),
      "share of the masked genes that show another cell's value instead of the mask");
  add("expressed-share", real(sampling.expressed_share, "2/3"),
      "share of the panel drawn from genes that the cell expresses; the rest from all others");
  add("balance", po::value<std::string>()->default_value("cells")->value_name("WHAT"),
      "draw every one of the 'cells' equally often, or every one of the 'datasets'");
  add("cls", po::value<std::string>()->default_value("off")->value_name("on|off"),
      "train with a leading <cls> token");
  add("start", po::value<std::string>()->default_value("coexpression")->value_name("HOW"),
      "weights to start from: coexpression (gene embeddings from the correlations of the cells) or random");
  add("steps", count(4000), "optimiser steps");
  add("tokens", po::value<std::int64_t>()->value_name("N"),
      "instead of --steps: gene positions to see in all");
  add("batch", count(defaults.batch), "samples (cells with a panel each) per step");
  add("leaf", count(defaults.leaf), "samples per pass; ranks share the leaves of a batch");
  add("lr", real(defaults.schedule.peak, "0.001"), "learning rate after the warm-up");
  add("lr-floor", real(defaults.schedule.floor_share, "0.05"),
      "learning rate of the last step, as a share of --lr");
  add("warmup", po::value<std::int64_t>()->value_name("N"),
      "steps of linear warm-up (default: a tenth, at most 200)");
  add("weight-decay", real(defaults.optimiser.weight_decay, "0.01"), "of AdamW, on matrices only");
  add("beta2", real(defaults.optimiser.beta2, "0.98"), "decay of AdamW's second moment");
  add("clip", real(defaults.clip, "1"), "largest norm of the gradient; 0: no limit");
  add("validation", real(0.02, "0.02"),
      "share of the cells of every file held out to measure the loss; 0: none");
  add("validation-samples", count(defaults.validation_samples), "held-out panels per measurement");
  add("validate-every", count(defaults.validation_every), "steps between two rows of loss.csv");
  add("checkpoint-minutes", real(control.checkpoint_minutes, "10"), "minutes between two checkpoints");
}

/// What lies in the output folder.
struct Folder {
  fs::path path;
  bool finished = false;
  bool interrupted = false;

  fs::path weights() const { return path / "model.safetensors"; }
  fs::path checkpoint() const { return path / "checkpoint.safetensors"; }
};

/// \throws OptionError if going on would destroy something unasked \collective yes
Folder open_folder(const Session& session) {
  Folder folder{session.options.get<std::string>("out")};
  const bool overwrite = session.options.get<bool>("overwrite");
  const bool resume = session.options.get<bool>("resume");
  comm::agree_on_root(session.world, "opening --out", [&] {
    if (overwrite && resume)
      throw OptionError("contradict each other", "--overwrite and --resume", "give one of them");
    folder.finished = fs::exists(folder.weights());
    folder.interrupted = fs::exists(folder.checkpoint());
    if (overwrite || resume) return;
    if (folder.finished)
      throw OptionError("already holds a model", "--out " + folder.path.string(), "--overwrite replaces it");
    if (folder.interrupted)
      throw OptionError("holds an interrupted run", "--out " + folder.path.string(),
                        "--resume goes on with it, --overwrite starts anew");
  });
  session.world.broadcast_value(folder.finished);
  session.world.broadcast_value(folder.interrupted);
  return folder;
}

pretrain::Corpus read_corpus(const Session& session) {
  std::vector<data::Expression> datasets;
  for (const auto& file : session.options.get<std::vector<std::string>>("expression")) {
    datasets.push_back(data::read_expression(session.world, file));
    comm::agree_on_root(session.world, "hashing the input", [&] { session.provenance.add_input(file); });
    log::info("{}: {} cells, {} genes", file, datasets.back().cell_count(), datasets.back().gene_count());
  }
  return {std::move(datasets), session.options.in_range("validation", 0.0, 0.9), session.seed};
}

backbone::TransformerConfig read_config(const Options& options, const pretrain::Corpus& corpus) {
  backbone::TransformerConfig config;
  config.vocabulary = corpus.vocabulary().size();
  config.layers = options.in_range<std::int64_t>("layers", 1, kLargestSize);
  config.heads = options.in_range<std::int64_t>("heads", 1, kLargestSize);
  config.width = options.in_range<std::int64_t>("width", 1, kLargestSize);
  config.hidden = options.in_range<std::int64_t>("hidden", 1, kLargestSize);
  config.input.max_panel = options.in_range<std::int64_t>("panel", 2, kLargestSize);
  config.input.cls = false;
  config.input.value_max = corpus.value_max();
  if (config.width % config.heads != 0)
    throw OptionError(fmt::format("{} is not a multiple of --heads {}", config.width, config.heads),
                      "--width");
  if (options.one_of("cls", {"on", "off"}) == "on")
    throw OptionError("not available in this version", "--cls on",
                      "models work without a <cls> token: use off");
  return config;
}

std::int64_t read_steps(const Options& options, const pretrain::Corpus& corpus) {
  if (!options.given("tokens")) return options.in_range<std::int64_t>("steps", 1, kLargestCount);
  if (options.given("steps"))
    throw OptionError("contradict each other", "--steps and --tokens", "give one of them");
  const std::int64_t length = std::min(options.get<std::int64_t>("panel"), corpus.largest_gene_count());
  const std::int64_t per_step = options.get<std::int64_t>("batch") * length;
  return (options.in_range<std::int64_t>("tokens", 1, kLargestCount) + per_step - 1) / per_step;
}

pretrain::PretrainOptions read_training(const Session& session, const pretrain::Corpus& corpus) {
  const Options& options = session.options;
  pretrain::PretrainOptions training;
  training.sampling.panel = options.get<std::int64_t>("panel");
  training.sampling.mask = options.get<double>("mask");
  training.sampling.corrupt = options.get<double>("corrupt");
  training.sampling.expressed_share = options.get<double>("expressed-share");
  training.sampling.balance_datasets = options.one_of("balance", {"cells", "datasets"}) == "datasets";
  training.sampling.seed = session.seed;
  training.start = pretrain::parse_start(options.one_of("start", {"coexpression", "random"}));
  training.batch = options.in_range<std::int64_t>("batch", 1, kLargestSize);
  training.leaf = options.in_range<std::int64_t>("leaf", 1, kLargestSize);
  training.schedule.steps = read_steps(options, corpus);
  training.schedule.peak = options.in_range("lr", 0.0, 1e3);
  training.schedule.floor_share = options.in_range("lr-floor", 0.0, 1.0);
  training.schedule.warmup_steps = options.given("warmup")
                                       ? options.in_range<std::int64_t>("warmup", 0, kLargestCount)
                                       : std::min<std::int64_t>(200, training.schedule.steps / 10);
  training.optimiser.weight_decay = options.in_range("weight-decay", 0.0, 1e3);
  training.optimiser.beta2 = options.in_range("beta2", 0.0, 0.9999999);
  training.clip = options.in_range("clip", 0.0, 1e6);
  training.validation_every = options.in_range<std::int64_t>("validate-every", 1, kLargestCount);
  training.validation_samples = options.in_range<std::int64_t>("validation-samples", 0, kLargestSize);
  return training;
}

/// A model that is already there may only stand for this run if it came from the same job. \collective yes
void require_finished_job(const Session& session, const Folder& folder, const nlohmann::json& job) {
  comm::agree_on_root(session.world, "comparing with the finished model", [&] {
    const fs::path args = folder.path / "args.json";
    const auto saved = nlohmann::json::parse(storage::read_text(args), nullptr, false);
    const auto provenance =
        saved.is_object() ? saved.value("provenance", nlohmann::json()) : nlohmann::json();
    if (!provenance.is_object() || !provenance.contains("job"))
      throw OptionError("holds a model that regulus pretrain did not write", "--out " + folder.path.string(),
                        "choose another folder, or replace it with --overwrite");
    pretrain::require_same_job(provenance.at("job"), job, args.string());
    storage::remove_file(folder.checkpoint());
  });
}

pretrain::RunControl control_of(const Session& session, const Folder& folder,
                                std::function<bool()> stop_requested) {
  return {.checkpoint = folder.checkpoint(),
          .curve = folder.path / "loss.csv",
          .checkpoint_minutes = session.options.in_range("checkpoint-minutes", 0.0, 1e6),
          .resume = session.options.get<bool>("resume"),
          .stop_requested = std::move(stop_requested),
          .progress = session.progress};
}

/// \collective yes
void prepare_folder(const Session& session, const Folder& folder) {
  comm::agree_on_root(session.world, "creating --out", [&] {
    try {
      fs::create_directories(folder.path);
      if (!session.options.get<bool>("overwrite")) return;
      fs::remove(folder.weights());
      fs::remove(folder.checkpoint());
    } catch (const fs::filesystem_error& failure) {
      throw StorageError(failure.code().message(), folder.path.string(), "choose a writable --out");
    }
  });
}

void report(const pretrain::PretrainedModel& model, const Folder& folder) {
  const auto& last = model.curve.back();
  log::info("{}: {} tokens seen, training loss {:.4g}", folder.path.string(), last.tokens, last.train_loss);
  if (const auto share = pretrain::explained(last))
    log::info("held-out cells: loss {:.4g}, gene means {:.4g}: {:.1f} % of the variance explained",
              *last.validation_loss, *last.baseline, 100.0 * *share);
}

void save(const Session& session, const Folder& folder, const backbone::TransformerConfig& config,
          const pretrain::Corpus& corpus, const pretrain::PretrainedModel& model, const nlohmann::json& job) {
  comm::agree_on_root(session.world, "writing the model", [&] {
    session.provenance.end_phase();
    nlohmann::json provenance = session.provenance.to_json();
    provenance["job"] = job;
    backbone::save_model(folder.path, config, corpus.vocabulary(), model.weights, provenance);
    storage::remove_file(folder.checkpoint());
  });
}

void run(Session& session) {
  const StopRule stop(session);
  const Folder folder = open_folder(session);
  session.provenance.start_phase("read");
  const pretrain::Corpus corpus = read_corpus(session);
  const backbone::TransformerConfig config = read_config(session.options, corpus);
  const pretrain::PretrainOptions training = read_training(session, corpus);
  const pretrain::RunControl control = control_of(session, folder, [&stop] { return stop(); });
  const nlohmann::json job = pretrain::job_of(training, config, corpus);
  if (folder.finished && control.resume) {
    require_finished_job(session, folder, job);
    log::info("{} is already complete", folder.path.string());
    return;
  }
  prepare_folder(session, folder);
  session.provenance.start_phase("train");
  const auto model = pretrain::pretrain(session.world, corpus, config, training, control);
  save(session, folder, config, corpus, model, job);
  report(model, folder);
}

}  // namespace

Command pretrain_command() {
  return {.name = "pretrain",
          .summary = "train a backbone to predict masked expression values",
          .declare = declare,
          .run = run,
          .resumable = true};
}

}  // namespace regulus::app

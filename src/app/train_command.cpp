#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "commands.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/storage/text_file.h"
#include "regulus/translator/checkpoint.h"
#include "regulus/translator/train.h"
#include "stop_rule.h"
#include "train_material.h"

namespace regulus::app {

namespace {

namespace fs = std::filesystem;

void declare(po::options_description& description) {
  const translator::TrainOptions defaults;
  const translator::TrainControl control;
  auto add = description.add_options();
  add("features", list<std::string>()->value_name("FILE..."), "feature stores, written by 'regulus probe'");
  add("network", list<std::string>()->value_name("FILE..."),
      "known edges (header Gene1,Gene2): one file for all feature stores, or one for each");
  add("out", po::value<std::string>()->value_name("FILE"), "the translator");
  add("protocol", po::value<std::string>()->default_value("balanced")->value_name("NAME"),
      "balanced: as many sampled negatives as positives; full: every TF x gene pair");
  add("negatives", po::value<std::string>()->default_value("uniform")->value_name("NAME"),
      "how balanced draws negatives: uniform, or per-source (as many as the TF has positives)");
  add("untested-sources", po::bool_switch(),
      "use TFs without any edge in the network too: all their pairs are negatives");
  add("probes", list<std::string>()->value_name("NAME..."),
      "one MLP for each of these; default: all in the stores");
  add("holdout-genes", po::value<double>()->default_value(0.0)->value_name("FRACTION"),
      "share of the genes kept out of training, to be evaluated as unseen genes");
  add("split-seed", po::value<std::int64_t>()->default_value(1)->value_name("N"),
      "seed that chooses those genes");
  add("hidden",
      list<std::int64_t>(defaults.hidden, fmt::format("{}", fmt::join(defaults.hidden, " ")))
          ->value_name("N..."),
      "widths of the hidden layers");
  add("transform", po::value<std::string>()->default_value(to_string(defaults.transform))->value_name("NAME"),
      "of a feature before standardising: asinh (tames rare strong responses) or none");
  add("epochs", po::value<std::int64_t>()->default_value(defaults.epochs)->value_name("N"),
      "most passes over the pairs");
  add("batch", po::value<std::int64_t>()->default_value(defaults.batch)->value_name("N"),
      "pairs per optimiser step");
  add("lr",
      po::value<double>()
          ->default_value(defaults.learning_rate, fmt::to_string(defaults.learning_rate))
          ->value_name("X"),
      "learning rate of AdamW");
  add("weight-decay",
      po::value<double>()
          ->default_value(defaults.weight_decay, fmt::to_string(defaults.weight_decay))
          ->value_name("X"),
      "weight decay of AdamW");
  add("validation",
      po::value<double>()
          ->default_value(defaults.validation_fraction, fmt::to_string(defaults.validation_fraction))
          ->value_name("FRACTION"),
      "share of the training genes that early stopping looks at; 0: run all epochs on all pairs");
  add("patience", po::value<std::int64_t>()->default_value(defaults.patience)->value_name("N"),
      "epochs without a better validation loss before stopping");
  add("class-weights", po::value<std::string>()->default_value("equal")->value_name("NAME"),
      "equal: positives and negatives weigh the same in total; none: every pair weighs the same");
  add("members", po::value<std::int64_t>()->default_value(defaults.members)->value_name("N"),
      "MLPs per probe, from different random numbers; their mean is the probe's logit, their spread its "
      "uncertainty");
  add("null", po::value<std::int64_t>()->default_value(defaults.nulls)->value_name("N"),
      "MLPs per probe trained on shuffled labels, for the empirical false-discovery rate");
  add("checkpoint-minutes",
      po::value<double>()
          ->default_value(control.checkpoint_minutes, fmt::to_string(control.checkpoint_minutes))
          ->value_name("X"),
      "minutes between two checkpoints; 0: one after every epoch");
  add("overwrite", po::bool_switch(), "start anew although --out has an interrupted run");
}

translator::TrainOptions train_options(const Session& session) {
  const Options& options = session.options;
  translator::TrainOptions chosen;
  chosen.hidden = options.get<std::vector<std::int64_t>>("hidden");
  chosen.epochs = options.get<std::int64_t>("epochs");
  chosen.batch = options.get<std::int64_t>("batch");
  chosen.learning_rate = options.get<double>("lr");
  chosen.weight_decay = options.get<double>("weight-decay");
  chosen.validation_fraction = options.get<double>("validation");
  chosen.patience = options.get<std::int64_t>("patience");
  chosen.class_weights = options.one_of("class-weights", {"equal", "none"}) == "equal";
  chosen.transform = translator::parse_transform(options.get<std::string>("transform"));
  chosen.seed = session.seed;
  chosen.members = options.get<std::int64_t>("members");
  chosen.nulls = options.get<std::int64_t>("null");
  translator::check(chosen);
  return chosen;
}

/// The loss that early stopping went by: after the best epoch; infinite without a validation part.
double best_validation_loss(const translator::TrainedMlp& mlp) {
  const auto& losses = mlp.curve.validation;
  return losses.empty() ? INFINITY : losses[static_cast<std::size_t>(mlp.curve.best_epoch)];
}

void print_loss(const std::string& name, const translator::ProbeModel& model,
                const translator::TrainedMlp& mlp) {
  const auto best = static_cast<std::size_t>(mlp.curve.best_epoch);
  const double validation = best_validation_loss(mlp);
  fmt::print("{:<10} {:>6} {:>8} {:>11.4f} {:>16}\n", name, model.shape.inputs(), best + 1,
             mlp.curve.train[best], std::isfinite(validation) ? fmt::format("{:.4f}", validation) : "-");
}

/// Every member, and the best of the nulls: a member that is not better has learnt nothing.
void print_losses(const translator::Translator& trained) {
  fmt::print("{:<10} {:>6} {:>8} {:>11} {:>16}\n", "probe", "width", "epoch", "train loss",
             "validation loss");
  for (const auto& model : trained.models()) {
    for (const auto& member : model.members) print_loss(model.probe, model, member);
    const auto best_null = std::min_element(
        model.nulls.begin(), model.nulls.end(),
        [](const auto& a, const auto& b) { return best_validation_loss(a) < best_validation_loss(b); });
    if (best_null != model.nulls.end()) print_loss(model.probe + " null", model, *best_null);
  }
}

/// What lies at --out.
struct Target {
  fs::path file;
  bool finished = false;
  bool interrupted = false;

  fs::path checkpoint() const { return file.string() + ".checkpoint"; }
};

/// \throws OptionError if going on would destroy something unasked \collective yes
Target open_target(const Session& session, const TrainJob& job) {
  Target target{job.out};
  const bool overwrite = session.options.get<bool>("overwrite");
  const bool resume = session.options.get<bool>("resume");
  comm::agree_on_root(session.world, "opening --out", [&] {
    if (overwrite && resume)
      throw OptionError("contradict each other", "--overwrite and --resume", "give one of them");
    target.finished = fs::exists(target.file);
    target.interrupted = fs::exists(target.checkpoint());
    if (target.interrupted && !overwrite && !resume)
      throw OptionError("has an interrupted run in " + target.checkpoint().string(), "--out " + job.out,
                        "--resume goes on with it, --overwrite starts anew");
  });
  return target;
}

/// The job that a finished translator came from; null for a file that does not tell.
nlohmann::json job_of_finished(const fs::path& file) {
  const auto trained = translator::Translator::load(file);
  return nlohmann::json::parse(trained.record().provenance_json).value("job", nlohmann::json());
}

/// Whether --out is the result of this very job. Where an interrupted run of another job lies beside it, that
/// one is meant. \throws OptionError naming the option in which a finished translator's job differs
bool is_finished(const Target& target, const nlohmann::json& job) {
  if (!target.finished) return false;
  const nlohmann::json found = job_of_finished(target.file);
  if (target.interrupted && found != job) return false;
  if (!found.is_object())
    throw OptionError("does not tell from which job it came", "--out " + target.file.string(),
                      "choose another file, or leave out --resume to replace it");
  translator::require_same_job(found, job, target.file.string());
  storage::remove_file(target.checkpoint());
  return true;
}

translator::TrainControl control_of(const Session& session, const Target& target, nlohmann::json job,
                                    const StopRule& stop) {
  return {.checkpoint = target.checkpoint(),
          .checkpoint_minutes = session.options.in_range("checkpoint-minutes", 0.0, 1e6),
          .resume = session.options.get<bool>("resume"),
          .job = std::move(job),
          .stop_requested = [&stop] { return stop(); },
          .progress = session.progress};
}

void save(Session& session, const Target& target, const nlohmann::json& job, translator::Translator& trained,
          translator::TrainingRecord record) {
  record.seen_genes = trained.record().seen_genes;
  nlohmann::json provenance = session.provenance.to_json();
  provenance["job"] = job;
  record.provenance_json = provenance.dump();
  trained.record() = std::move(record);
  trained.save(target.file);
  storage::remove_file(target.checkpoint());
  print_losses(trained);
  log::info("wrote {}", target.file.string());
}

void run(Session& session) {
  const StopRule stop(session);
  const TrainJob job = train_job(session.options, session.seed);
  const translator::TrainOptions options = train_options(session);
  const Target target = open_target(session, job);
  translator::TrainControl control = control_of(session, target, {}, stop);
  TrainMaterial material;
  bool finished = false;
  session.provenance.start_phase("read");
  comm::agree_on_root(session.world, "reading the training pairs", [&] {
    add_inputs(job, session.provenance);
    control.job = job_of(job, session.provenance);
    finished = control.resume && is_finished(target, control.job);
    if (finished) return;
    if (!control.resume) storage::remove_file(target.checkpoint());
    material = read_material(job);
  });
  session.world.broadcast_value(finished);
  if (finished) {
    log::info("{} is already complete", target.file.string());
    return;
  }
  broadcast(session.world, material.table);
  session.provenance.start_phase("train");
  translator::Translator trained = train(session.world, material.table, options, control);
  session.provenance.end_phase();
  comm::agree_on_root(session.world, "writing the translator",
                      [&] { save(session, target, control.job, trained, std::move(material.record)); });
}

}  // namespace

Command train_command() {
  return {.name = "train",
          .summary = "Train the translator: features of TF-gene pairs to edge probabilities",
          .declare = declare,
          .run = run,
          .resumable = true};
}

}  // namespace regulus::app

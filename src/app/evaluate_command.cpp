#include <fmt/format.h>

#include <cstdio>

#include "commands.h"
#include "evaluate_data.h"
#include "evaluate_edges.h"
#include "evaluate_job.h"
#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/report/curve_table.h"
#include "regulus/report/metric_table.h"
#include "regulus/storage/text_file.h"

namespace regulus::app {

namespace {

using evaluate::Setting;
using translator::LabelledPairs;

/// What the output files hold.
struct Results {
  std::vector<evaluate::MetricRow> rows;
  std::vector<evaluate::NamedCurve> curves;
  nlohmann::json overlap = nlohmann::json::array();
  nlohmann::json data_sets = nlohmann::json::array();
};

/// SHA-256 of every input, recorded by rank 0 and known to all.
nlohmann::json hash_inputs(Session& session, const EvaluateJob& job) {
  std::string text;
  comm::agree_on_root(session.world, "reading inputs", [&] {
    for (const auto& file : job.inputs()) session.provenance.add_input(file);
    text = session.provenance.to_json().at("inputs").dump();
  });
  session.world.broadcast(text);
  return nlohmann::json::parse(text);
}

Setting setting_of(const EvaluateJob& job, const EvaluateInputs& inputs, const EvaluateData& data) {
  if (!inputs.translator) return Setting::AllGenes;
  return evaluate::choose_setting(job.setting, data.trained_on, job.exclude_seen, inputs.genes);
}

void require_positives(const LabelledPairs& pairs, const evaluate::Subject& subject) {
  if (pairs.positives() > 0) return;
  throw InputError(
      fmt::format("no edge of {} is left among the candidate pairs of {} ({})", subject.network,
                  subject.dataset, subject.setting),
      subject.dataset + " × " + subject.network,
      "all its genes may have been seen in training: hold genes out (train --holdout-genes 0.3), use "
      "another data set, or --exclude-seen off");
}

LabelledPairs choose_pairs(const EvaluateJob& job, const EvaluateInputs& inputs, const EvaluateData& data,
                           const data::Network& network, const EvaluateProtocol& protocol,
                           const evaluate::Subject& subject) {
  const translator::CandidateOptions options{.protocol = protocol.protocol,
                                             .negatives = protocol.negatives,
                                             .seed = job.seed,
                                             .genes = genes_of(setting_of(job, inputs, data), inputs.genes),
                                             .untested_sources = job.untested_sources};
  LabelledPairs pairs = translator::candidate_pairs(data.sources, data.targets, network, options);
  require_positives(pairs, subject);
  if (protocol.protocol == translator::Protocol::Balanced && pairs.size() != 2 * pairs.positives())
    log::info("{} × {}: only {} negatives for {} positives", subject.dataset, subject.network,
              pairs.size() - pairs.positives(), pairs.positives());
  return pairs;
}

nlohmann::json overlap_json(const evaluate::Subject& subject, const evaluate::Overlap& overlap) {
  return {{"dataset", subject.dataset},
          {"network", subject.network},
          {"protocol", subject.protocol},
          {"setting", subject.setting},
          {"genes", overlap.genes},
          {"genes_seen", overlap.genes_seen},
          {"pairs", overlap.pairs},
          {"pairs_one_gene_seen", overlap.pairs_one_seen},
          {"pairs_both_genes_seen", overlap.pairs_both_seen}};
}

/// One data set × network × protocol. \collective yes
void evaluate_one(const Session& session, const EvaluateJob& job, const EvaluateInputs& inputs,
                  const EvaluateData& data, const data::Network& network, const EvaluateProtocol& protocol,
                  Progress& progress, Results& results) {
  evaluate::Subject subject{data.name, network.name, protocol.name(), ""};
  const LabelledPairs pairs = comm::agree(session.world, "choosing candidate pairs", [&] {
    subject.setting = to_string(setting_of(job, inputs, data));
    return choose_pairs(job, inputs, data, network, protocol, subject);
  });
  const auto methods = score_methods(session.world, job, inputs, data, pairs);
  auto evaluation =
      evaluate::evaluate_methods(session.world, subject, methods, pairs.label, job.bootstrap, &progress);
  results.rows.insert(results.rows.end(), evaluation.rows.begin(), evaluation.rows.end());
  results.curves.insert(results.curves.end(), evaluation.curves.begin(), evaluation.curves.end());
  results.overlap.push_back(
      overlap_json(subject, evaluate::overlap(data.sources, data.targets, pairs, inputs.genes.seen)));
}

/// Bootstrap replicates of rank 0 over all evaluations: the others have as many, so they tell the progress.
std::int64_t replicates_of_root(const Session& session, const EvaluateJob& job) {
  const std::size_t networks = job.by_position ? 1 : job.networks.size();
  const std::size_t evaluations = evaluate_data_count(job) * networks * job.protocols.size();
  return static_cast<std::int64_t>(evaluations) * (job.bootstrap.replicates / session.world.size());
}

Results evaluate_all(Session& session, const EvaluateJob& job, const nlohmann::json& inputs_sha256) {
  const auto inputs = read_evaluate_inputs(session.world, job);
  Progress progress("evaluate", replicates_of_root(session, job), "replicates", session.progress);
  Results results;
  for (std::size_t index = 0; index < evaluate_data_count(job); ++index) {
    const auto data = read_evaluate_data(session.world, job, inputs, index, inputs_sha256);
    results.data_sets.push_back({{"name", data.name},
                                 {"sources", data.sources.size()},
                                 {"targets", data.targets.size()},
                                 {"trained_on", data.trained_on},
                                 {"not_in_expression", data.not_in_expression}});
    if (job.write_edges) write_edges(session.world, job, inputs, data);
    for (std::size_t network = 0; network < inputs.networks.size(); ++network) {
      if (job.by_position && network != index) continue;
      for (const auto& protocol : job.protocols)
        evaluate_one(session, job, inputs, data, inputs.networks[network], protocol, progress, results);
    }
  }
  return results;
}

void create_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || !std::filesystem::is_directory(folder))
    throw StorageError("cannot create the folder" + (error ? ": " + error.message() : std::string()),
                       folder.string(), "choose another --out");
}

void write(const Session& session, const EvaluateJob& job, const Results& results) {
  const nlohmann::json json{{"format", "regulus metrics"},
                            {"version", 1},
                            {"metrics", report::metrics_json(results.rows)},
                            {"overlap", results.overlap},
                            {"data_sets", results.data_sets},
                            {"provenance", session.provenance.to_json()}};
  storage::write_text_atomically(job.out / "metrics.csv", report::metrics_csv(results.rows));
  storage::write_text_atomically(job.out / "curves.csv", report::curves_csv(results.curves));
  storage::write_text_atomically(job.out / "metrics.json", json.dump(1) + "\n");
}

void run(Session& session) {
  const EvaluateJob job = evaluate_job(session);
  comm::agree_on_root(session.world, "creating the output folder", [&] { create_folder(job.out); });
  session.provenance.start_phase("read");
  const auto inputs_sha256 = hash_inputs(session, job);
  session.provenance.start_phase("evaluate");
  const Results results = evaluate_all(session, job, inputs_sha256);
  session.provenance.end_phase();
  comm::agree_on_root(session.world, "writing the metrics", [&] { write(session, job, results); });
  if (session.world.is_root()) {
    fmt::print("{}", report::metric_table(results.rows));
    std::fflush(stdout);
  }
  log::info("metrics.csv, metrics.json and curves.csv are in {}", job.out.string());
}

}  // namespace

Command evaluate_command() {
  return {"evaluate", "Score a translator, or another tool's edges, against networks",
          declare_evaluate_options, run};
}

}  // namespace regulus::app

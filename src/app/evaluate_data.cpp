#include "evaluate_data.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "regulus/comm/agree.h"
#include "regulus/core/log.h"
#include "regulus/data/expression.h"
#include "regulus/data/gene_list.h"
#include "regulus/data/text_table.h"
#include "regulus/evaluate/names.h"
#include "regulus/evaluate/pair_blocks.h"

namespace regulus::app {

namespace {

using evaluate::Method;
using translator::LabelledPairs;

std::vector<data::Network> read_networks(const std::vector<std::filesystem::path>& files) {
  std::vector<data::Network> networks;
  const auto names = evaluate::distinct_names(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    networks.push_back(data::read_network(files[i]));
    networks.back().name = names[i];
  }
  return networks;
}

std::vector<evaluate::RankedEdges> read_edges(const std::vector<std::filesystem::path>& files) {
  std::vector<evaluate::RankedEdges> edges;
  const auto names = evaluate::distinct_names(files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    edges.push_back(evaluate::read_ranked_edges(files[i]));
    edges.back().name = names[i];
  }
  return edges;
}

/// Training data sets are recognised by content: their SHA-256 is in the translator's provenance.
bool was_trained_on(const translator::Translator& translator, const nlohmann::json& sha256) {
  const auto provenance = nlohmann::json::parse(translator.record().provenance_json, nullptr, false);
  const auto inputs =
      provenance.is_object() ? provenance.value("inputs", nlohmann::json::object()) : nlohmann::json();
  return std::any_of(inputs.begin(), inputs.end(), [&](const auto& known) { return known == sha256; });
}

void open_features(const EvaluateInputs& inputs, const nlohmann::json& inputs_sha256, EvaluateData& data) {
  data.store = std::make_unique<storage::FeatureStore>(data.file);
  data.sources = data.store->header().sources;
  data.targets = data.store->header().targets;
  if (!inputs.translator) return;
  translator::require_same_origin(inputs.translator->record().origin, "the translator",
                                  translator::origin_of(data.store->header()), data.file.string());
  data.trained_on = was_trained_on(*inputs.translator, inputs_sha256.at(data.file.string()));
}

void append_new(std::vector<std::string>& genes, const std::vector<std::string>& more) {
  const std::set<std::string> known(genes.begin(), genes.end());
  for (const auto& gene : more)
    if (!known.contains(gene)) genes.push_back(gene);
}

/// Without features the candidates are those of the gene lists, else all that the tools name.
void candidates_from_edges(const EvaluateJob& job, const EvaluateInputs& inputs, EvaluateData& data) {
  data.name = data::base_name(!job.expression.empty() ? job.expression.front() : job.edges.front());
  for (const auto& edges : inputs.edges) {
    append_new(data.sources, edges.sources());
    append_new(data.targets, edges.genes());
  }
  if (!job.sources.empty()) data.sources = data::read_gene_list(job.sources);
  if (!job.genes.empty()) data.targets = data::read_gene_list(job.genes);
}

void add_pearson(const data::Expression& expression, const std::string& file, EvaluateData& data) {
  data.pearson.emplace(expression);
  std::set<std::string> missing;
  for (const auto* genes : {&data.sources, &data.targets})
    for (const auto& gene : *genes)
      if (!data.pearson->find(gene)) missing.insert(gene);
  data.not_in_expression.assign(missing.begin(), missing.end());
  if (!missing.empty())
    log::info("{} candidate genes of {} are not in {}: |pearson| scores them 0 (listed in metrics.json)",
              missing.size(), data.name, file);
}

/// The logits of every probe, [probes][pairs].
std::vector<std::vector<double>> probe_logits(const comm::Communicator& world,
                                              const translator::Translator& translator,
                                              const EvaluateData& data, const LabelledPairs& pairs) {
  const auto probes = translator.probes();
  return evaluate::score_pairs(world, pairs, probes.size(), [&](const LabelledPairs& block) {
    std::vector<std::vector<double>> scores;
    for (const auto& probe : probes) {
      const auto features = translator::gather_features(*data.store, data.file.string(), probe, block);
      const auto logits = translator.logits(probe, features.values);
      scores.emplace_back(logits.begin(), logits.end());
    }
    return scores;
  });
}

/// Each probe alone; the paper's ensemble (vvp and gdt) where there are more probes; the ensemble of all.
void add_translator(const comm::Communicator& world, const translator::Translator& translator,
                    const EvaluateData& data, const LabelledPairs& pairs, std::vector<Method>& methods) {
  const auto probes = translator.probes();
  const auto logits = probe_logits(world, translator, data, pairs);
  for (std::size_t probe = 0; probe < probes.size(); ++probe)
    methods.push_back({probes[probe], logits[probe]});
  const auto index = [&](const char* name) {
    return static_cast<std::size_t>(std::find(probes.begin(), probes.end(), name) - probes.begin());
  };
  const std::size_t vvp = index("vvp");
  const std::size_t gdt = index("gdt");
  if (probes.size() > 2 && vvp < probes.size() && gdt < probes.size())
    methods.push_back({"vvp+gdt", evaluate::mean_score(std::vector{logits[vvp], logits[gdt]})});
  if (probes.size() > 1) methods.push_back({"ensemble", evaluate::mean_score(logits)});
}

/// "Origin" scores: |Pert|, Attn of the last layer, mean |J| of OSG.
double origin_score(const std::string& feature, const float* values, std::int64_t width) {
  if (feature == "pert") return std::abs(static_cast<double>(values[0]));
  return static_cast<double>(feature == "osg" ? values[1] : values[width - 1]);
}

void add_origin(const comm::Communicator& world, const std::vector<std::string>& features,
                const EvaluateData& data, const LabelledPairs& pairs, std::vector<Method>& methods) {
  auto scores = evaluate::score_pairs(world, pairs, features.size(), [&](const LabelledPairs& block) {
    std::vector<std::vector<double>> result;
    for (const auto& feature : features) {
      const auto table = translator::gather_features(*data.store, data.file.string(), feature, block);
      auto& column = result.emplace_back();
      for (std::int64_t pair = 0; pair < block.size(); ++pair)
        column.push_back(origin_score(feature, table.values.data() + pair * table.width, table.width));
    }
    return result;
  });
  for (std::size_t k = 0; k < features.size(); ++k)
    methods.push_back({features[k] + " (origin)", std::move(scores[k])});
}

}  // namespace

std::vector<double> ensemble_logits(const comm::Communicator& world, const translator::Translator& translator,
                                    const EvaluateData& data, const LabelledPairs& pairs) {
  return evaluate::mean_score(probe_logits(world, translator, data, pairs));
}

EvaluateInputs read_evaluate_inputs(const comm::Communicator& world, const EvaluateJob& job) {
  return comm::agree(world, "reading networks and translator", [&] {
    EvaluateInputs inputs;
    inputs.networks = read_networks(job.networks);
    inputs.edges = read_edges(job.edges);
    if (job.translator.empty()) return inputs;
    inputs.translator = translator::Translator::load(job.translator);
    inputs.genes = {inputs.translator->record().seen_genes, inputs.translator->record().holdout_genes};
    if (!job.training_networks.empty())
      inputs.degree.emplace(read_networks(job.training_networks), inputs.genes.seen);
    return inputs;
  });
}

std::size_t evaluate_data_count(const EvaluateJob& job) {
  return std::max<std::size_t>(job.features.size(), 1);
}

EvaluateData read_evaluate_data(const comm::Communicator& world, const EvaluateJob& job,
                                const EvaluateInputs& inputs, std::size_t index,
                                const nlohmann::json& inputs_sha256) {
  EvaluateData data = comm::agree(world, "reading features", [&] {
    EvaluateData result;
    if (job.features.empty()) {
      candidates_from_edges(job, inputs, result);
    } else {
      result.file = job.features[index];
      result.name = evaluate::distinct_names(job.features)[index];
      open_features(inputs, inputs_sha256, result);
    }
    return result;
  });
  if (job.expression.empty()) return data;
  const auto expression = data::read_expression(world, job.expression[index]);
  comm::agree(world, "expression", [&] { add_pearson(expression, job.expression[index].string(), data); });
  return data;
}

std::vector<Method> score_methods(const comm::Communicator& world, const EvaluateJob& job,
                                  const EvaluateInputs& inputs, const EvaluateData& data,
                                  const LabelledPairs& pairs) {
  std::vector<Method> methods;
  if (inputs.translator) add_translator(world, *inputs.translator, data, pairs, methods);
  if (!job.origin.empty()) add_origin(world, job.origin, data, pairs, methods);
  comm::agree(world, "scoring ranked edges", [&] {
    for (const auto& edges : inputs.edges)
      methods.push_back(
          {edges.name, evaluate::edge_scores(edges, data.sources, data.targets, pairs, job.edge_weights)});
  });
  if (data.pearson) {
    auto scores = evaluate::score_pairs(world, pairs, 1, [&](const LabelledPairs& block) {
      return std::vector<std::vector<double>>{data.pearson->scores(data.sources, data.targets, block)};
    });
    methods.push_back({"|pearson|", std::move(scores.front())});
  }
  if (inputs.degree) methods.push_back({"degree", inputs.degree->scores(data.sources, data.targets, pairs)});
  return methods;
}

}  // namespace regulus::app

#include <nlohmann/json.hpp>

#include "probe_setup.h"
#include "regulus/comm/agree.h"
#include "regulus/core/sha256.h"
#include "regulus/probe/model_broadcast.h"

namespace regulus::app {

namespace {

/// The folder or file of --model, without the kind before the colon.
std::string path_of_model(const std::string& model) {
  return probe::is_scripted(model) ? model.substr(model.find(':') + 1) : model;
}

std::string hash_of(const nlohmann::json& list) {
  const std::string text = list.dump();
  return sha256(text.data(), text.size());
}

nlohmann::json optional_value(const Options& options, const char* name) {
  return options.given(name) ? options.to_json().at(name) : nlohmann::json();
}

/// Options as the job understood them: what is not used does not count.
nlohmann::json describe(const Session& session, const backbone::Backbone& model, const probe::ProbeJob& job,
                        const backbone::TransformerOptions& use) {
  const Options& options = session.options;
  nlohmann::json record{
      {"model", model.checkpoint_sha256()},
      {"genes", hash_of({{"names", job.genes}, {"tokens", job.gene_ids}})},
      {"sources", hash_of(job.sources)},
      {"background", options.get<std::string>("background")},
      {"spread", job.spread},
      {"perturbation-grid", job.perturbation_grid},
      {"gradient-grid", job.gradient_grid},
      {"v-b", job.v_b},
      {"attention", job.attn ? job.attention_width : 0},
      {"read-out", options.get<std::string>("read-out")},
      {"batch-label", optional_value(options, "batch-label")},
      {"cls", job.cls_id.has_value()},
      {"cls-value", job.cls_id ? nlohmann::json(job.cls_value) : nlohmann::json()},
      {"sources-per-tile", job.sources_per_tile},
      {"panel-plan", job.targets_per_tile == 0 ? "single" : fmt::format("tiled {}", job.targets_per_tile)},
      {"precision", options.get<std::string>("precision")},
      {"device", c10::DeviceTypeName(use.device.type(), true)},
      {"seed", session.seed}};
  for (const auto& [name, wanted] :
       {std::pair{"vvp", job.vvp}, std::pair{"gdt", job.gdt}, std::pair{"osg", job.osg},
        std::pair{"pert", job.pert}, std::pair{"attn", job.attn}, std::pair{"emb", job.emb}})
    if (wanted) record["features"].push_back(name);
  if (options.given("expression")) {
    record["expression"] = session.provenance.input_sha256(options.get<std::string>("expression"));
    record["background-cells"] = job.backgrounds->count();
    record["cells"] = job.cells->count();
    record["cells-where"] = optional_value(options, "cells-where");
    record["binning"] = options.get<std::string>("binning");
  }
  return record;
}

}  // namespace

void record_probe_inputs(const Session& session) {
  comm::agree_on_root(session.world, "hashing the inputs", [&] {
    session.provenance.add_input(path_of_model(session.options.get<std::string>("model")));
    for (const char* option : {"expression", "genes", "sources", "aliases"})
      if (session.options.given(option))
        session.provenance.add_input(session.options.get<std::string>(option));
  });
}

nlohmann::json probe_job_record(const Session& session, const backbone::Backbone& model,
                                const probe::ProbeJob& job, const backbone::TransformerOptions& use) {
  std::string text;
  comm::agree_on_root(session.world, "describing the job",
                      [&] { text = describe(session, model, job, use).dump(); });
  session.world.broadcast(text);
  return nlohmann::json::parse(text);
}

}  // namespace regulus::app

#pragma once

#include <cstdint>
#include <vector>

#include "regulus/core/random.h"
#include "regulus/probe/probe_job.h"
#include "support/tiny_model.h"

namespace regulus::test {

/// A job over all genes of a tiny model: every feature, shared and unshared grid values, random backgrounds
/// and cells.
inline probe::ProbeJob tiny_job(const backbone::Model& model, std::int64_t sources, std::int64_t rows) {
  probe::ProbeJob job;
  const std::int64_t genes = model.vocabulary.size() - 3;
  for (std::int64_t i = 0; i < genes; ++i) {
    job.genes.push_back(model.vocabulary.token(i));
    job.gene_ids.push_back(i);
  }
  for (std::int64_t s = 0; s < sources; ++s) job.sources.push_back((3 * s + 1) % genes);
  job.vvp = job.gdt = job.osg = job.pert = job.attn = job.emb = true;
  job.perturbation_grid = {1.5, 3.0, 6.0};
  job.gradient_grid = {0.0, 3.0};
  job.v_b = 0.5;
  job.sources_per_tile = 2;
  job.sources_per_part = 1;
  RandomStream random(9, "tiny_job");
  const auto random_values = [&](std::int64_t count) {
    std::vector<float> values;
    for (std::int64_t k = 0; k < count * genes; ++k)
      values.push_back(static_cast<float>(5.0 * random.uniform()));
    return values;
  };
  job.backgrounds = std::make_shared<probe::FixedRows>(genes, random_values(rows));
  job.cells = std::make_shared<probe::FixedRows>(genes, random_values(rows + 1));
  job.mean = random_values(1);
  return job;
}

}  // namespace regulus::test

#pragma once

#include <ATen/ATen.h>

#include <string>
#include <vector>

#include "regulus/backbone/model_folder.h"

namespace regulus::test {

/// A random model with genes G0, G1, …; sizes small enough for finite differences.
inline backbone::Model tiny_model(std::int64_t genes, std::uint64_t seed, std::int64_t width = 16,
                                  std::int64_t heads = 4, std::int64_t layers = 2) {
  backbone::Model model;
  std::vector<std::string> tokens;
  for (std::int64_t i = 0; i < genes; ++i) tokens.push_back("G" + std::to_string(i));
  for (const char* special : {"<pad>", "<cls>", "<eoc>"}) tokens.emplace_back(special);
  model.vocabulary = data::Vocabulary(tokens);
  model.config.vocabulary = model.vocabulary.size();
  model.config.width = width;
  model.config.heads = heads;
  model.config.hidden = width + 3;
  model.config.layers = layers;
  model.config.input.value_max = 8.0;
  model.weights = backbone::random_weights(model.config, seed);
  return model;
}

}  // namespace regulus::test

#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "regulus/translator/feature_origin.h"
#include "regulus/translator/mlp_shape.h"
#include "regulus/translator/pair_table.h"
#include "regulus/translator/standardiser.h"

namespace regulus::translator {

/// Mean loss per pair, epoch by epoch.
struct LossCurve {
  std::vector<double> train;
  std::vector<double> validation;  ///< empty without a validation part
  std::int64_t best_epoch = 0;     ///< the epoch (from 0) whose weights were kept
};

/// One MLP after its training.
struct TrainedMlp {
  std::vector<float> parameters;  ///< [shape.parameters()]
  LossCurve curve;
};

/// The classifier of one probe: MLPs of one shape on the same standardised features.
struct ProbeModel {
  std::string probe;
  Standardiser standardiser;
  MlpShape shape;
  std::vector<TrainedMlp> members;  ///< at least one; they differ in their random numbers alone
  std::vector<TrainedMlp> nulls{};  ///< trained on shuffled labels
};

/// What a translator was trained on.
struct TrainingRecord {
  std::vector<std::string>
      seen_genes;  ///< genes of the training pairs, those used for early stopping included
  std::vector<std::string> holdout_genes;  ///< genes kept out of training for the unseen-genes setting
  std::vector<std::string> networks, data_sets;
  FeatureOrigin origin;
  std::string provenance_json = "{}";
};

/// What Translator::predict() tells of n pairs.
struct Prediction {
  std::vector<float> logit;  ///< [n] mean over members, then over probes
  /// [n] Standard deviation over members (divided by members - 1) of each member's logit, itself the mean
  /// over probes; in logit units. Empty unless asked for, and with one member.
  std::vector<float> spread;
  std::vector<float> null;  ///< [nulls, n] logits of the null translators; empty unless asked for
};

struct PredictOptions {
  bool spread = false;
  bool null = false;
};

/// Turns the features of a pair into the logit of "the source regulates the target": per probe the mean logit
/// of its members, and the mean over probes as the ensemble. Every probe has as many members and as many
/// nulls as the others.
class Translator {
 public:
  Translator(std::vector<ProbeModel> models, TrainingRecord record);

  std::vector<std::string> probes() const;
  bool has(const std::string& probe) const;
  const ProbeModel& model(const std::string& probe) const;  ///< \throws ModelError if there is none
  const std::vector<ProbeModel>& models() const { return models_; }
  const TrainingRecord& record() const { return record_; }
  TrainingRecord& record() { return record_; }

  std::int64_t member_count() const;
  std::int64_t null_count() const;

  /// \param features one matrix per probe (at least one), with equally many pairs
  /// \return         numbers of a pair that depend neither on the other pairs of the call nor on threads
  /// \throws ModelError if there is no such probe; InputError if a width or the number of pairs does not fit
  /// \collective no
  Prediction predict(const std::vector<ProbeMatrix>& features, const PredictOptions& options = {}) const;

  /// predict().logit of one probe alone. \param values [n, width] raw features
  std::vector<float> logits(const std::string& probe, std::span<const float> values) const;

  /// predict().logit
  std::vector<float> ensemble_logits(const std::vector<ProbeMatrix>& features) const;

  /// One HDF5 file, see docs/formats/translator.md; it appears under its name only when it is whole.
  /// \throws StorageError
  void save(const std::filesystem::path& file) const;

  /// \throws ModelError if the file is missing, damaged, of another version, or does not hold together
  static Translator load(const std::filesystem::path& file);

 private:
  std::vector<ProbeModel> models_;
  TrainingRecord record_;
};

/// Whether the file is an HDF5 file that calls itself a translator, whole or not. Never throws.
bool is_translator(const std::filesystem::path& file);

/// 1 / (1 + exp(-logit))
float probability(float logit);

}  // namespace regulus::translator

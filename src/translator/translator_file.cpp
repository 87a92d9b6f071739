#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "regulus/core/error.h"
#include "regulus/storage/hdf5.h"
#include "regulus/translator/translator.h"

namespace regulus::translator {

namespace {

using storage::H5File;

const std::string kFormat = "regulus translator";
constexpr std::int64_t kVersion = 2;
/// Has one MLP per probe, which lies in the probe's own group.
constexpr std::int64_t kSingleMlpVersion = 1;
constexpr const char* kRemedy = "train it again with `regulus train`, or copy the file again";

std::string group_of(const std::string& probe) {
  return "/probe/" + probe;
}

std::string member_group(const std::string& probe, std::size_t member) {
  return fmt::format("{}/member/{}", group_of(probe), member);
}

std::string null_group(const std::string& probe, std::size_t index) {
  return fmt::format("{}/null/{}", group_of(probe), index);
}

std::string layer_path(const std::string& group, const char* what, std::int64_t layer) {
  return fmt::format("{}/{}_{}", group, what, layer);
}

template <typename T>
std::vector<T> part(const std::vector<T>& values, std::int64_t begin, std::int64_t count) {
  return {values.begin() + begin, values.begin() + begin + count};
}

void write_mlp(H5File& file, const std::string& group, const MlpShape& shape, const TrainedMlp& mlp) {
  file.create_group(group);
  file.write_attribute_int(group, "best_epoch", mlp.curve.best_epoch);
  for (std::int64_t layer = 0; layer < shape.layers(); ++layer) {
    const std::int64_t in = shape.layer_inputs(layer);
    const std::int64_t out = shape.layer_outputs(layer);
    file.write(layer_path(group, "weight", layer), part(mlp.parameters, shape.weight_offset(layer), out * in),
               {out, in});
    file.write(layer_path(group, "bias", layer), part(mlp.parameters, shape.bias_offset(layer), out));
  }
  file.write(group + "/loss_train", mlp.curve.train);
  file.write(group + "/loss_validation", mlp.curve.validation);
}

void write_model(H5File& file, const ProbeModel& model) {
  const std::string group = group_of(model.probe);
  file.create_group(group);
  file.write_attribute_int(group, "width", model.shape.inputs());
  file.write_attribute_int(group, "layers", model.shape.layers());
  file.write_attribute_string(group, "transform", to_string(model.standardiser.transform));
  file.write(group + "/scale", model.standardiser.scale);
  file.write(group + "/mean", model.standardiser.mean);
  file.write(group + "/std", model.standardiser.std);
  for (std::size_t m = 0; m < model.members.size(); ++m)
    write_mlp(file, member_group(model.probe, m), model.shape, model.members[m]);
  for (std::size_t n = 0; n < model.nulls.size(); ++n)
    write_mlp(file, null_group(model.probe, n), model.shape, model.nulls[n]);
}

void write_record(H5File& file, const TrainingRecord& record) {
  file.write_strings("/genes/seen", record.seen_genes);
  file.write_strings("/genes/holdout", record.holdout_genes);
  file.write_strings("/training/networks", record.networks);
  file.write_strings("/training/data_sets", record.data_sets);
  file.write_attribute_string("/", "checkpoint_sha256", record.origin.checkpoint_sha256);
  file.write_attribute_string("/", "background", record.origin.background);
  file.create_group("/grids");
  for (const auto& [name, values] : record.origin.grids) file.write("/grids/" + name, values);
  file.write_attribute_string("/", "provenance", record.provenance_json);
}

/// Reads one file and checks that it holds together.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : file_(H5File::open_read(path, ErrorKind::Model)) {}

  bool calls_itself_translator() const {
    return file_.has_attribute("/", "format") && file_.read_attribute_string("/", "format") == kFormat;
  }

  void check_format() const {
    if (!calls_itself_translator()) fail("/", "this is not a translator");
    const std::int64_t found = version();
    if (found < kSingleMlpVersion || found > kVersion)
      fail("/", fmt::format("the format version is {}; this program reads versions {} to {}", found,
                            kSingleMlpVersion, kVersion));
  }

  std::vector<ProbeModel> models() const {
    const std::vector<std::string> probes = file_.read_strings("/probes");
    if (probes.empty()) fail("/probes", "the translator has no probe");
    const std::int64_t members = version() == kSingleMlpVersion ? 1 : count("members", 1);
    const std::int64_t nulls = version() == kSingleMlpVersion ? 0 : count("nulls", 0);
    std::vector<ProbeModel> models;
    for (const std::string& probe : probes) models.push_back(model(probe, members, nulls));
    return models;
  }

  TrainingRecord record() const {
    TrainingRecord record;
    record.seen_genes = file_.read_strings("/genes/seen");
    record.holdout_genes = file_.read_strings("/genes/holdout");
    record.networks = file_.read_strings("/training/networks");
    record.data_sets = file_.read_strings("/training/data_sets");
    record.origin.checkpoint_sha256 = file_.read_attribute_string("/", "checkpoint_sha256");
    record.origin.background = file_.read_attribute_string("/", "background");
    for (const std::string& name : file_.children("/grids"))
      record.origin.grids[name] = numbers("/grids/" + name);
    record.provenance_json = file_.read_attribute_string("/", "provenance");
    if (!nlohmann::json::accept(record.provenance_json)) fail("/", "the provenance is not JSON");
    return record;
  }

 private:
  std::int64_t version() const { return file_.read_attribute_int("/", "version"); }

  std::int64_t count(const char* name, std::int64_t least) const {
    const std::int64_t found = file_.read_attribute_int("/", name);
    if (found < least) fail("/", fmt::format("the number of {} is {}", name, found));
    return found;
  }

  [[noreturn]] void fail(const std::string& path, const std::string& message) const {
    throw ModelError(message, file_.name() + ":" + path, kRemedy);
  }

  std::vector<double> numbers(const std::string& path) const {
    std::vector<double> values = file_.read<double>(path);
    if (!std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); }))
      fail(path, "a number is not finite");
    return values;
  }

  /// Per-column numbers of a standardiser.
  std::vector<double> columns(const std::string& path, std::int64_t width) const {
    std::vector<double> values = numbers(path);
    if (static_cast<std::int64_t>(values.size()) != width)
      fail(path, fmt::format("{} values instead of {}, the width of the probe", values.size(), width));
    return values;
  }

  std::vector<double> positive_columns(const std::string& path, std::int64_t width) const {
    std::vector<double> values = columns(path, width);
    if (*std::min_element(values.begin(), values.end()) <= 0.0) fail(path, "a divisor is not positive");
    return values;
  }

  Standardiser standardiser(const std::string& group, std::int64_t width) const {
    Standardiser standardiser;
    const std::string transform = file_.read_attribute_string(group, "transform");
    if (transform != "none" && transform != "asinh")
      fail(group, "unknown feature transform '" + transform + "'");
    standardiser.transform = parse_transform(transform);
    standardiser.scale = positive_columns(group + "/scale", width);
    standardiser.mean = columns(group + "/mean", width);
    standardiser.std = positive_columns(group + "/std", width);
    return standardiser;
  }

  /// The shape of the MLP in `group`, checked layer by layer.
  MlpShape shape(const std::string& group, std::int64_t width, std::int64_t layers) const {
    std::vector<std::int64_t> hidden;
    for (std::int64_t layer = 0; layer < layers; ++layer) {
      const std::string path = layer_path(group, "weight", layer);
      const std::vector<std::int64_t> found = file_.shape(path);
      const std::int64_t inputs = hidden.empty() ? width : hidden.back();
      const bool last = layer + 1 == layers;
      if (found.size() != 2 || found[1] != inputs || found[0] < 1 || (last && found[0] != 1))
        fail(path, fmt::format("the shape does not fit its neighbours: expected [{}, {}]", last ? "1" : "n",
                               inputs));
      hidden.push_back(found[0]);
    }
    hidden.pop_back();
    return {width, hidden};
  }

  void append_parameters(std::vector<float>& parameters, const std::string& path, std::int64_t count) const {
    const std::vector<float> values = file_.read<float>(path);
    if (static_cast<std::int64_t>(values.size()) != count)
      fail(path, fmt::format("{} values instead of {}", values.size(), count));
    if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
      fail(path, "a weight is not finite");
    parameters.insert(parameters.end(), values.begin(), values.end());
  }

  TrainedMlp mlp(const std::string& group, const MlpShape& shape) const {
    TrainedMlp mlp;
    for (std::int64_t layer = 0; layer < shape.layers(); ++layer) {
      const std::int64_t outputs = shape.layer_outputs(layer);
      append_parameters(mlp.parameters, layer_path(group, "weight", layer),
                        outputs * shape.layer_inputs(layer));
      append_parameters(mlp.parameters, layer_path(group, "bias", layer), outputs);
    }
    mlp.curve = {numbers(group + "/loss_train"), numbers(group + "/loss_validation"),
                 file_.read_attribute_int(group, "best_epoch")};
    return mlp;
  }

  ProbeModel model(const std::string& probe, std::int64_t members, std::int64_t nulls) const {
    const std::string group = group_of(probe);
    const std::int64_t width = file_.read_attribute_int(group, "width");
    const std::int64_t layers = file_.read_attribute_int(group, "layers");
    if (width < 1 || layers < 1) fail(group, "a translator needs at least one feature and one layer");
    const bool single = version() == kSingleMlpVersion;
    const MlpShape found = shape(single ? group : member_group(probe, 0), width, layers);
    ProbeModel model{probe, standardiser(group, width), found, {}, {}};
    for (std::int64_t m = 0; m < members; ++m)
      model.members.push_back(mlp(single ? group : member_group(probe, static_cast<std::size_t>(m)), found));
    for (std::int64_t n = 0; n < nulls; ++n)
      model.nulls.push_back(mlp(null_group(probe, static_cast<std::size_t>(n)), found));
    return model;
  }

  H5File file_;
};

}  // namespace

void Translator::save(const std::filesystem::path& path) const {
  H5File file = H5File::create(path);
  file.write_attribute_string("/", "format", kFormat);
  file.write_attribute_int("/", "version", kVersion);
  file.write_attribute_int("/", "members", member_count());
  file.write_attribute_int("/", "nulls", null_count());
  file.write_strings("/probes", probes());
  for (const ProbeModel& model : models_) write_model(file, model);
  write_record(file, record_);
  file.close();
}

bool is_translator(const std::filesystem::path& file) {
  try {
    return Reader(file).calls_itself_translator();
  } catch (const Error&) {
    return false;
  }
}

Translator Translator::load(const std::filesystem::path& path) {
  try {
    const Reader reader(path);
    reader.check_format();
    return {reader.models(), reader.record()};
  } catch (const Error& error) {
    throw ModelError(error.message(), error.where(), error.hint().empty() ? kRemedy : error.hint());
  }
}

}  // namespace regulus::translator

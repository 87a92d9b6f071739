#include "regulus/data/tenx.h"

#include <algorithm>
#include <utility>

#include "h5ad_matrix.h"
#include "regulus/core/error.h"
#include "regulus/storage/hdf5.h"
#include "tenx_features.h"

namespace regulus::data {

namespace {

using detail::TenxFeatures;
using storage::H5File;

constexpr const char* kMatrix = "/matrix";

/// Cell Ranger before 3: a group of this form for every genome.
std::vector<std::string> genome_groups(const H5File& file) {
  std::vector<std::string> groups = file.children("/");
  std::erase_if(groups, [&](const std::string& name) {
    return !file.has("/" + name + "/gene_names") || !file.has("/" + name + "/barcodes");
  });
  return groups;
}

TenxFeatures read_features(const H5File& file) {
  TenxFeatures features;
  const auto column = [&](const std::string& name) {
    const std::string path = std::string(kMatrix) + "/features/" + name;
    return file.has(path) ? file.read_strings(path) : std::vector<std::string>{};
  };
  features.names = file.read_strings(std::string(kMatrix) + "/features/name");
  features.ids = column("id");
  features.types = column("feature_type");
  features.genomes = column("genome");
  return features;
}

/// The group of the genome asked for, or of the only one there is.
std::string choose_group(const H5File& file, const std::string& genome) {
  const std::vector<std::string> genomes = genome_groups(file);
  if (genomes.empty())
    throw InputError("is an HDF5 file, but not a matrix of 10x Genomics", file.name(),
                     "expected /matrix/features/name (Cell Ranger 3 and later), or a group per genome with "
                     "gene_names and barcodes; name AnnData files .h5ad");
  const bool known = std::find(genomes.begin(), genomes.end(), genome) != genomes.end();
  if (known) return genome;
  if (genome.empty() && genomes.size() == 1) return genomes.front();
  detail::refuse_genomes(genomes, genome, file.name());
}

void require_equally_long(const H5File& file, const TenxFeatures& features) {
  for (const auto* column : {&features.ids, &features.types, &features.genomes})
    if (!column->empty() && column->size() != features.names.size())
      throw InputError("the columns of the features are not equally long", file.name(),
                       "the file is damaged: write or download it again");
}

Expression read_group(const H5File& file, const std::string& group, TenxFeatures features,
                      const std::string& genome) {
  require_equally_long(file, features);
  if (features.ids.empty()) features.ids = features.names;
  auto cells = file.read_strings(group + "/barcodes");
  auto kept = detail::keep_genes(features, genome, file.name());
  auto rows = detail::MatrixReader(
                  file, features.names, static_cast<std::int64_t>(cells.size()),
                  {.path = group, .barcodes = group + "/barcodes", .kept_genes = std::move(kept.new_index)})
                  .read_all();
  return detail::to_expression(std::move(rows), std::move(cells), std::move(kept.names));
}

}  // namespace

Expression read_tenx(const std::filesystem::path& path, const std::string& genome) {
  const auto file = H5File::open_read(path);
  if (file.has(std::string(kMatrix) + "/features/name"))
    return read_group(file, kMatrix, read_features(file), genome);
  const std::string group = "/" + choose_group(file, genome);
  TenxFeatures features;
  features.names = file.read_strings(group + "/gene_names");
  if (file.has(group + "/genes")) features.ids = file.read_strings(group + "/genes");
  return read_group(file, group, std::move(features), {});
}

}  // namespace regulus::data

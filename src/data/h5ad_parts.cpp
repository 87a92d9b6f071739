#include "regulus/data/h5ad_parts.h"

namespace regulus::data {

using storage::H5File;

void set_encoding(H5File& file, const std::string& path, const std::string& type,
                  const std::string& version) {
  file.write_attribute_string(path, "encoding-type", type);
  file.write_attribute_string(path, "encoding-version", version);
}

void write_dictionary(H5File& file, const std::string& path) {
  file.create_group(path);
  set_encoding(file, path, "dict", "0.1.0");
}

void write_text(H5File& file, const std::string& path, const std::string& text) {
  file.write_string(path, text);
  set_encoding(file, path, "string", "0.2.0");
}

void write_column(H5File& file, const std::string& path, const std::vector<std::string>& values) {
  file.write_strings(path, values);
  set_encoding(file, path, "string-array", "0.2.0");
}

void write_frame(H5File& file, const std::string& path, const std::vector<std::string>& names,
                 const std::vector<std::string>& columns) {
  file.create_group(path);
  set_encoding(file, path, "dataframe", "0.2.0");
  file.write_attribute_string(path, "_index", "_index");
  file.write_attribute_strings(path, "column-order", columns);
  write_column(file, path + "/_index", names);
}

void write_csr(H5File& file, const std::string& path, const std::vector<std::int64_t>& shape) {
  file.create_group(path);
  set_encoding(file, path, "csr_matrix", "0.1.0");
  file.write_attribute<std::int64_t>(path, "shape", shape);
}

void write_categories(H5File& file, const std::string& path, const std::vector<std::string>& categories) {
  file.create_group(path);
  set_encoding(file, path, "categorical", "0.2.0");
  file.write_attribute_bool(path, "ordered", false);
  write_column(file, path + "/categories", categories);
}

}  // namespace regulus::data

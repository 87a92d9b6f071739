#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "regulus/storage/hdf5.h"

namespace regulus::data {

// The pieces that an AnnData file is put together from, as anndata 0.8 writes them. Every path is absolute;
// \throws StorageError if the file cannot be written.

/// The attributes that tell anndata how to read a group or data set.
void set_encoding(storage::H5File& file, const std::string& path, const std::string& type,
                  const std::string& version);

/// A group that becomes a Python dictionary.
void write_dictionary(storage::H5File& file, const std::string& path);

/// A single text.
void write_text(storage::H5File& file, const std::string& path, const std::string& text);

/// A column of texts.
void write_column(storage::H5File& file, const std::string& path, const std::vector<std::string>& values);

/// A data frame with these names of its rows; the columns named are written by the caller.
void write_frame(storage::H5File& file, const std::string& path, const std::vector<std::string>& names,
                 const std::vector<std::string>& columns);

/// A sparse matrix by rows; data, indices and indptr in it are written by the caller.
void write_csr(storage::H5File& file, const std::string& path, const std::vector<std::int64_t>& shape);

/// A column of categories; codes in it, indices of the categories, is written by the caller.
void write_categories(storage::H5File& file, const std::string& path,
                      const std::vector<std::string>& categories);

}  // namespace regulus::data

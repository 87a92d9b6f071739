#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "regulus/storage/safetensors.h"

namespace regulus::storage {

/// Reads every tensor of a PyTorch checkpoint that holds a plain state dict: the zip format that torch.save
/// writes since version 1.6. Nothing of the file is executed: the pickle in it may use the opcodes and
/// globals of a state dict only, and every size is checked before memory is taken. Strided tensors come back
/// row-major, devices are ignored. \throws ModelError naming file, place and remedy on anything else, such as
/// a training checkpoint with an optimiser, a whole pickled module, or a file in the older format that is not
/// a zip \collective no \see docs/formats/torch_checkpoint.md
std::map<std::string, TensorView> read_torch_checkpoint(const std::filesystem::path& path);

/// Writes an OrderedDict of tensors in the order of their names, as torch.save(state_dict, path) lays it out,
/// whole or not at all; torch.load reads it, with weights_only too. The same tensors and file name give the
/// same bytes. Tensors start at multiples of 64 bytes, as PyTorch's do, unless one before them is longer than
/// 4 GiB. Needs memory for two more copies of the file. \throws StorageError \collective no
void write_torch_checkpoint(const std::filesystem::path& path,
                            const std::map<std::string, TensorView>& tensors);

}  // namespace regulus::storage

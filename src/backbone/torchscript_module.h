#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>

#include "regulus/core/error.h"

namespace regulus::backbone {

/// What an exception of LibTorch or of the TorchScript interpreter says, in one line without traces.
std::string one_line(const std::exception& failure);

/// Runs `work`, which calls LibTorch: the one place where its exceptions become errors of the model.
/// \param what what cannot be done, as in "cannot be loaded"
template <typename Work>
auto translated(const std::string& what, const std::string& where, const std::string& remedy, Work&& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& failure) {
    throw ModelError(what + ": " + one_line(failure), where, remedy);
  }
}

/// A loaded TorchScript module: evaluation mode, parameters frozen, floating tensors of one precision. The
/// graph optimiser stays off: it may replace operations after the first calls, by such as round differently
/// or have no forward-mode derivative. Calls record for autograd if the caller's grad mode is on and `values`
/// require it.
class ScriptModule {
 public:
  /// \throws ModelError if the bytes are no TorchScript archive
  ScriptModule(const std::string& bytes, at::ScalarType precision, std::string where);
  ~ScriptModule();

  /// \param gene_ids [B, L] int64 \param values [B, L] \return [B, L] predictions, in the precision
  /// \throws ModelError if the module fails or returns anything else
  at::Tensor forward(const at::Tensor& gene_ids, const at::Tensor& values) const;

  bool can_embed() const;
  /// \param gene_ids [n] int64 \return [n, d], in the precision \throws ModelError as forward()
  at::Tensor embed(const at::Tensor& gene_ids) const;

  at::ScalarType precision() const { return precision_; }
  const std::string& where() const { return where_; }

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
  at::ScalarType precision_;
  std::string where_;
};

}  // namespace regulus::backbone

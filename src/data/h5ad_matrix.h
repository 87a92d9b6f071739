// The matrix X of an AnnData file; private to the module.
#pragma once

#include "regulus/data/expression.h"
#include "regulus/storage/hdf5.h"

namespace regulus::data::detail {

/// Fills the values of an expression that has its cells and genes already. \throws InputError as read_h5ad()
void read_matrix(const storage::H5File& file, Expression& expression);

}  // namespace regulus::data::detail

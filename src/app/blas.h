#pragma once

#include <string>

namespace regulus::app {

/// The thread count of OpenBLAS, which keeps its own beside LibTorch's. Does nothing with another BLAS.
void set_blas_threads(int threads);

/// The library file if matrix products run on the unoptimised reference BLAS; empty otherwise.
std::string slow_blas();

}  // namespace regulus::app

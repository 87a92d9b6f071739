#pragma once

/// Instruction sets that the kernels are not compiled for: the tiles keep vectors in structs, which the
/// scalable ones (SVE, RVV) do not allow; the others add nothing to their neighbours. Included before
/// Highway.
#define HWY_DISABLED_TARGETS \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_AVX3_DL)

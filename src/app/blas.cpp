#include "blas.h"

#include <dlfcn.h>

#include <filesystem>

namespace regulus::app {

namespace {

/// The file of the library that serves single-precision matrix products; empty if unknown.
std::filesystem::path blas_library() {
  Dl_info info{};
  void* gemm = dlsym(RTLD_DEFAULT, "sgemm_");
  if (gemm == nullptr || dladdr(gemm, &info) == 0 || info.dli_fname == nullptr) return {};
  return info.dli_fname;
}

/// OpenBLAS, MKL and BLIS also come under the name libblas.so.3; each is known by a function of its own.
bool is_optimised(const std::filesystem::path& library) {
  void* handle = dlopen(library.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return true;
  bool optimised = false;
  for (const char* own : {"openblas_get_config", "MKL_Get_Version", "bli_info_get_version_str"})
    optimised = optimised || dlsym(handle, own) != nullptr;
  dlclose(handle);
  return optimised;
}

}  // namespace

void set_blas_threads(int threads) {
  using SetThreads = void (*)(int);
  if (void* function = dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))
    reinterpret_cast<SetThreads>(function)(threads);
}

std::string slow_blas() {
  const std::filesystem::path library = blas_library();
  if (library.filename().string().rfind("libblas", 0) != 0 || is_optimised(library)) return {};
  return library.string();
}

}  // namespace regulus::app

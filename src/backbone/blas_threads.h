#pragma once

namespace regulus::backbone {

/// Keeps OpenBLAS to one thread for each caller while this lives. Its pthreads flavour, which Debian prefers
/// over the OpenMP one, does not see that it is called from several threads already: their products would
/// wait for one another. No effect on another BLAS.
class SingleThreadedBlas {
 public:
  SingleThreadedBlas();
  ~SingleThreadedBlas();
  SingleThreadedBlas(const SingleThreadedBlas&) = delete;
  SingleThreadedBlas& operator=(const SingleThreadedBlas&) = delete;

 private:
  int threads_ = 0;  ///< before; 0 if there is no OpenBLAS
};

}  // namespace regulus::backbone

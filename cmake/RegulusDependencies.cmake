# Every external library of the project, from the distribution's packages.
find_program(REGULUS_CCACHE ccache)
if(REGULUS_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${REGULUS_CCACHE})
endif()

# A LibTorch with CUDA enables the language CUDA; the CMake of Debian 12 knows its dialects up to 17. Torch also appends
# to the flags of nvcc, architectures among them that a newer nvcc has dropped: ours are properties of our targets.
set(CMAKE_CUDA_STANDARD 17)
find_package(Torch REQUIRED)
unset(CMAKE_CUDA_FLAGS)
find_package(MPI REQUIRED COMPONENTS C CXX)
set(HDF5_PREFER_PARALLEL ON)
find_package(HDF5 REQUIRED COMPONENTS C)
if(NOT HDF5_IS_PARALLEL)
  message(FATAL_ERROR "regulus needs parallel HDF5: install libhdf5-openmpi-dev")
endif()
find_package(Boost 1.74 REQUIRED COMPONENTS program_options iostreams)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(OpenMP REQUIRED COMPONENTS CXX)  # without it LibTorch's parallel_for in our code is a plain loop
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(LIBHWY REQUIRED IMPORTED_TARGET libhwy)
find_path(RANDOM123_INCLUDE_DIR Random123/philox.h REQUIRED)

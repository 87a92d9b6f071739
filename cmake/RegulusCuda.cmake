# The CUDA kernels of the backbone. They are compiled wherever nvcc is found, so that nvcc checks them, and become part
# of the backbone where LibTorch has CUDA.
set(REGULUS_CUDA AUTO CACHE STRING "CUDA kernels: AUTO (where nvcc is found), ON or OFF")
set_property(CACHE REGULUS_CUDA PROPERTY STRINGS AUTO ON OFF)

# regulus_cuda(MODULE) compiles src/MODULE/cuda.
function(regulus_cuda module)
  set(folder ${PROJECT_SOURCE_DIR}/src/${module}/cuda)
  add_library(regulus_cuda_kernels OBJECT ${folder}/dual_attention.cu)
  set_target_properties(regulus_cuda_kernels PROPERTIES CUDA_STANDARD 17 CUDA_STANDARD_REQUIRED ON
                        CUDA_ARCHITECTURES "80-real;90")
  target_compile_options(regulus_cuda_kernels PRIVATE -Xcompiler=-Wall,-Wextra)
  add_library(regulus_cuda_calls OBJECT ${folder}/attention_cuda.cpp)
  target_include_directories(regulus_cuda_calls PRIVATE ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(regulus_cuda_calls PRIVATE regulus_flags regulus_torch CUDA::cudart_static)
  if(TARGET torch_cuda OR TORCH_CUDA_LIBRARIES)
    target_sources(regulus_${module} PRIVATE $<TARGET_OBJECTS:regulus_cuda_kernels>
                                             $<TARGET_OBJECTS:regulus_cuda_calls>)
    target_link_libraries(regulus_${module} PRIVATE CUDA::cudart_static)
    target_compile_definitions(regulus_${module} PRIVATE REGULUS_HAVE_CUDA)
    message(STATUS "CUDA kernels: built, and used with this LibTorch")
  else()
    message(STATUS "CUDA kernels: compiled only; this LibTorch has no CUDA")
  endif()
endfunction()

set(REGULUS_HAVE_NVCC OFF)
if(NOT REGULUS_CUDA STREQUAL OFF)
  # Known to nvcc 11 to 13; CMake's own guess may be one that the newest nvcc has dropped.
  set(CMAKE_CUDA_ARCHITECTURES 80 CACHE STRING "For CMake's check of nvcc")
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    if(REGULUS_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
      set(CMAKE_CUDA_COMPILER_LAUNCHER ${REGULUS_CCACHE})
    endif()
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    set(REGULUS_HAVE_NVCC ON)
  elseif(REGULUS_CUDA STREQUAL ON)
    message(FATAL_ERROR "REGULUS_CUDA is ON, but there is no nvcc: install the CUDA toolkit or name it by CUDACXX")
  endif()
endif()

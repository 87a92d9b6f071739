#pragma once

namespace regulus::backbone {

/// CUDA devices that LibTorch can use here: 0 for a LibTorch without CUDA and on a host without a GPU.
int cuda_device_count();

}  // namespace regulus::backbone

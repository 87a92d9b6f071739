#include "device.h"

#include "regulus/backbone/device.h"
#include "regulus/core/log.h"

namespace regulus::app {

c10::Device choose_device(const comm::Communicator& world, const Options& options) {
  const std::string& wanted = options.one_of("device", {"auto", "cpu", "cuda"});
  const int devices = backbone::cuda_device_count();
  const bool everywhere = !world.any(devices == 0);
  const int place = world.local_rank();
  if (wanted == "cuda" && !everywhere)
    throw OptionError("this LibTorch has no CUDA device", "--device cuda",
                      "use --device cpu, or a LibTorch with CUDA on hosts with a GPU");
  if (wanted == "cpu" || !everywhere) return c10::DeviceType::CPU;
  log::info("computing on CUDA devices: {} on the host of rank 0", devices);
  return {c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(place % devices)};
}

}  // namespace regulus::app

#include "regulus/backbone/device.h"

#include <c10/core/impl/DeviceGuardImplInterface.h>

namespace regulus::backbone {

int cuda_device_count() {
  if (!c10::impl::hasDeviceGuardImpl(c10::DeviceType::CUDA)) return 0;
  return c10::impl::getDeviceGuardImpl(c10::DeviceType::CUDA)->deviceCount();
}

}  // namespace regulus::backbone

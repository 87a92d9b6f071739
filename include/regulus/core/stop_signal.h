#pragma once

namespace regulus {

/// While one exists, SIGTERM and SIGUSR1 (Slurm's warning before the time limit) only set a flag, which long
/// work looks at between its steps. The handlers of before come back with the destructor. At most one at a
/// time.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  /// Whether one of the signals reached this process since construction; ranks must agree on what to do about
  /// it.
  bool received() const;
};

}  // namespace regulus

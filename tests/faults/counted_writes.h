#pragma once

namespace regulus::test {

/// From here on this process counts its positioned file writes (pwrite and its kin: HDF5's and MPI-IO's),
/// waits before each, and kills itself (SIGKILL) in place of the last. \param last      number of the write
/// that is never made, from 1; 0 for none \param delay_us  microseconds to wait before every write
void count_writes(long last, unsigned delay_us);

/// Writes since then.
long counted_writes();

}  // namespace regulus::test

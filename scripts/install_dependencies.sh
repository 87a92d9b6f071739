#!/usr/bin/env bash
# Installs the Debian 12 packages that regulus needs and that are missing; does nothing, quickly, when none is.
#   scripts/install_dependencies.sh           to build and run
#   scripts/install_dependencies.sh --tests   to run the tests as well
#   scripts/install_dependencies.sh --fuzz    to fuzz the readers as well
#   scripts/install_dependencies.sh --benchmarks  to build the benchmarks as well
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache git ca-certificates
  libtorch-dev libopenblas-dev libopenblas0-openmp
  libopenmpi-dev openmpi-bin libhdf5-openmpi-dev
  libboost-program-options-dev libboost-iostreams-dev
  libspdlog-dev libfmt-dev nlohmann-json3-dev librandom123-dev libssl-dev libzip-dev libhwy-dev
  gnuplot-nox
)
test_packages=(libgtest-dev python3 python3-anndata python3-h5py python3-sklearn python3-pandas
               python3-torch)
fuzz_packages=(clang-14 libclang-rt-14-dev)
# Without these the tests of the batch scripts are skipped.
slurm_packages=(slurm-wlm slurm-wlm-basic-plugins munge)
benchmark_packages=(libbenchmark-dev python3 python3-h5py python3-torch)

if [[ "${1:-}" == --tests ]]; then
  packages+=("${test_packages[@]}")
elif [[ "${1:-}" == --fuzz ]]; then
  packages+=("${fuzz_packages[@]}")
elif [[ "${1:-}" == --benchmarks ]]; then
  packages+=("${benchmark_packages[@]}")
fi

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  echo "This is not a Debian system. regulus needs the equivalents of these Debian 12 packages:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  echo "Going on in the hope that they are there." >&2
  exit 0
fi

# Those of its arguments that are not installed, one a line.
missing_of() {
  local installed package
  installed=$(dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' "$@" 2> /dev/null || true)
  for package in "$@"; do
    grep --quiet --line-regexp --fixed-strings "installed $package" <<< "$installed" || echo "$package"
  done
}

# Installs those of its arguments that are missing. It fails if that does.
require() {
  local missing as_root=() install
  mapfile -t missing < <(missing_of "$@")
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo > /dev/null; then
      echo "Please install these packages (this needs root): ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "Installing ${missing[*]}"
  install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends)
  # The package lists may be absent or out of date: fetch them only if it does not work without.
  if ! "${install[@]}" "${missing[@]}" > /dev/null 2>&1; then
    "${as_root[@]}" apt-get update --quiet && "${install[@]}" "${missing[@]}"
  fi
}

require "${packages[@]}"
if [[ "${1:-}" == --tests ]] && ! require "${slurm_packages[@]}"; then
  echo "Without Slurm the tests of the batch scripts will be skipped." >&2
fi

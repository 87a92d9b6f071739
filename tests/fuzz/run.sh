#!/usr/bin/env bash
# Fuzzes the readers of files from outside, one after the other.
#   tests/fuzz/run.sh [SECONDS [TARGET...]]    600 seconds each; all targets
# The corpus grows in build/fuzz/corpus/TARGET; an input that breaks a reader is left in build/fuzz/found.
set -euo pipefail
cd "$(dirname "$0")/../.."

seconds=${1:-600}
shift $(($# > 0 ? 1 : 0))
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  for source in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" _fuzz.cpp)"); done
fi

scripts/install_dependencies.sh --fuzz
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz

mkdir -p build/fuzz/found build/fuzz/seeds
build/fuzz/tests/fuzz/make_seeds build/fuzz/seeds
for target in "${targets[@]}"; do
  echo "== $target, $seconds seconds"
  mkdir -p "build/fuzz/corpus/$target"
  ASAN_OPTIONS=allocator_may_return_null=0 "build/fuzz/tests/fuzz/${target}_fuzz" \
    -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=1024 -timeout=10 -max_len=65536 -use_value_profile=1 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/found/$target-" \
    "build/fuzz/corpus/$target" "build/fuzz/seeds/$target"
done
echo "No target found anything."

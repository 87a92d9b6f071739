#pragma once

#include <cstdint>
#include <stdexcept>
#include <type_traits>

#include "cuda_bf16.h"
#include "warp.h"

/// Warp-wide matrix products on the CPU. Lane l holds the elements l, l + 32, … of a tile, row by row: as
/// good as any other order, and no kernel may rely on it.
namespace nvcuda::wmma {

struct matrix_a;
struct matrix_b;
struct accumulator;
struct row_major;
struct col_major;
enum layout_t { mem_row_major };
namespace precision {
struct tf32;
}

inline float __float_to_tf32(float value) {
  return emulation::rounded(value, 10);
}

template <typename Use, int M, int N, int K, typename T, typename Layout = void>
struct fragment {
  using Element = std::conditional_t<std::is_same_v<T, precision::tf32>, float, T>;
  static constexpr int kRows = std::is_same_v<Use, matrix_b> ? K : M;
  static constexpr int kColumns = std::is_same_v<Use, matrix_a> ? K : N;
  static constexpr int num_elements = kRows * kColumns / emulation::kLanes;
  Element x[num_elements];
};

namespace detail {

/// Refuses what the hardware does not do.
template <typename T>
void check(const T* memory, int stride) {
  if (reinterpret_cast<std::uintptr_t>(memory) % 32 != 0)
    throw std::runtime_error("a tile of a tensor core does not start on 32 bytes");
  if (static_cast<std::size_t>(stride) * sizeof(T) % 16 != 0)
    throw std::runtime_error("the rows of a tensor core's tile are not 16 bytes apart");
}

template <int Columns>
std::pair<int, int> place(int element) {
  const int index = element * emulation::kLanes + emulation::Block::current().lane();
  return {index / Columns, index % Columns};
}

/// Every lane's elements of a tile, gathered; to be read after a wait and before the next.
template <typename Fragment>
auto* show(const Fragment& mine, std::byte* memory) {
  using Element = typename Fragment::Element;
  auto* const all = reinterpret_cast<Element*>(memory);
  for (int i = 0; i < Fragment::num_elements; ++i)
    all[i * emulation::kLanes + emulation::Block::current().lane()] = mine.x[i];
  return all;
}

}  // namespace detail

template <typename Fragment>
void fill_fragment(Fragment& tile, float value) {
  for (auto& element : tile.x) element = value;
}

template <typename Use, int M, int N, int K, typename T, typename Layout, typename Memory>
void load_matrix_sync(fragment<Use, M, N, K, T, Layout>& tile, const Memory* memory, int stride) {
  using Tile = fragment<Use, M, N, K, T, Layout>;
  detail::check(memory, stride);
  for (int i = 0; i < Tile::num_elements; ++i) {
    const auto [row, column] = detail::place<Tile::kColumns>(i);
    tile.x[i] =
        std::is_same_v<Layout, col_major> ? memory[column * stride + row] : memory[row * stride + column];
  }
}

template <int M, int N, int K>
void load_matrix_sync(fragment<accumulator, M, N, K, float>& tile, const float* memory, int stride,
                      layout_t) {
  detail::check(memory, stride);
  for (int i = 0; i < tile.num_elements; ++i) {
    const auto [row, column] = detail::place<N>(i);
    tile.x[i] = memory[row * stride + column];
  }
}

template <int M, int N, int K>
void store_matrix_sync(float* memory, const fragment<accumulator, M, N, K, float>& tile, int stride,
                       layout_t) {
  detail::check(memory, stride);
  for (int i = 0; i < tile.num_elements; ++i) {
    const auto [row, column] = detail::place<N>(i);
    memory[row * stride + column] = tile.x[i];
  }
}

template <int M, int N, int K, typename T, typename LayoutA, typename LayoutB>
void mma_sync(fragment<accumulator, M, N, K, float>& sum, const fragment<matrix_a, M, N, K, T, LayoutA>& a,
              const fragment<matrix_b, M, N, K, T, LayoutB>& b,
              const fragment<accumulator, M, N, K, float>& addend) {
  emulation::Block& block = emulation::Block::current();
  std::byte* const memory = block.exchange<std::byte>(sizeof(a.x) + sizeof(b.x));
  const auto* const left = detail::show(a, memory);
  const auto* const right = detail::show(b, memory + sizeof(a.x) * emulation::kLanes);
  block.wait_for_warp();
  for (int i = 0; i < sum.num_elements; ++i) {
    const auto [row, column] = detail::place<N>(i);
    float total = addend.x[i];
    for (int k = 0; k < K; ++k)
      total += static_cast<float>(left[row * K + k]) * static_cast<float>(right[k * N + column]);
    sum.x[i] = total;
  }
}

}  // namespace nvcuda::wmma

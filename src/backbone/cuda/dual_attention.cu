// One thread block attends for 64 queries of one head: each of its 4 warps for 16, streaming over blocks of
// 32 keys. A warp keeps the sums of O and Ȯ in fragments; scores pass through its part of the shared memory,
// where the weights overwrite them as operands of the next products.
//
// The softmax is scaled by exp(−m) with a reference m per row that follows the row's largest score only when
// it grows by more than kSlack: any m gives the same quotient as long as exp(kSlack) times the sums does not
// overflow, so the sums need rescaling in the first blocks only.
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "dual_attention.h"
#include "shared_memory.cuh"
#include "tensor_core.cuh"

namespace regulus::backbone::cuda {

namespace {

constexpr float kSlack = 8.0f;
constexpr unsigned kWholeWarp = 0xffffffffu;

constexpr int kLanesPerRow = kLanes / kTile;           // lanes that share a row of scores
constexpr int kScoresPerLane = kKeys / kLanesPerRow;   // alternate columns of the row
constexpr int kTilePerLane = kTile * kTile / kLanes;   // elements of one tile for each lane
constexpr std::size_t kMostShared_bytes = 163 * 1024;  // of compute capability 8.0
constexpr std::int64_t kMostInGrid = 65535;            // of the grid's y and z

/// Where one head of one state lies in packed projections.
template <typename T>
struct HeadRows {
  const T *q, *k, *v;
  std::int64_t stride;
};

template <typename T>
__device__ HeadRows<T> rows_of(const DualAttention& task, const Projections& projections, std::int64_t state,
                               std::int64_t head) {
  const std::int64_t d = task.heads * task.width;
  const T* const q =
      static_cast<const T*>(projections.data) + state * projections.state_stride + head * task.width;
  return {q, q + d, q + 2 * d, 3 * d};
}

/// Copies rows [first, first + Rows); zeros beyond the panel and beyond the head's width.
template <typename T, int Rows, int Width>
__device__ void load(Matrix<T, Rows, Width>& matrix, const T* source, std::int64_t stride, std::int64_t first,
                     const DualAttention& task) {
  for (int i = static_cast<int>(threadIdx.x); i < Rows * Width; i += kThreads) {
    const int row = i / Width;
    const int column = i % Width;
    const bool inside = first + row < task.length && column < task.width;
    matrix.values[row][column] = inside ? source[(first + row) * stride + column] : T(0.0f);
  }
}

/// The running softmax of one row, held alike by the lanes that share it.
struct RowState {
  float reference = -INFINITY;  // m
  float weight = 0.0f;          // Σ exp(s − m)
  float slope = 0.0f;           // Σ exp(s − m) ṡ
};

__device__ float sum_of_row(float value) {
  static_assert(kLanesPerRow == 2);
  return value + __shfl_xor_sync(kWholeWarp, value, 1);
}

/// Follows the largest score of the row. \return what the sums so far have to be multiplied by
__device__ float follow(RowState& row, float largest) {
  largest = fmaxf(largest, __shfl_xor_sync(kWholeWarp, largest, 1));
  if (!(largest > row.reference + kSlack)) return 1.0f;
  const float factor = expf(row.reference - largest);
  row.reference = largest;
  row.weight *= factor;
  row.slope *= factor;
  return factor;
}

/// Turns scores (and their tangents) of one block of keys into weights exp(s − m) (and exp(s − m) ṡ).
/// \param keys how many of the block exist \return the factor of follow()
template <typename T, bool tangent>
__device__ float weigh(WarpMemory<T, tangent>& warp, RowState& row, float scale, int keys) {
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int r = lane / kLanesPerRow;
  float score[kScoresPerLane];
  float slope[kScoresPerLane];
  float largest = -INFINITY;
#pragma unroll
  for (int j = 0; j < kScoresPerLane; ++j) {
    const int key = j * kLanesPerRow + lane % kLanesPerRow;
    score[j] = key < keys ? scale * warp.scores.values[r][key] : -INFINITY;
    if constexpr (tangent) slope[j] = key < keys ? scale * warp.score_tangents.values[r][key] : 0.0f;
    largest = fmaxf(largest, score[j]);
  }
  const float factor = follow(row, largest);
  __syncwarp();  // all scores are read before weights overwrite them
  float weight_sum = 0.0f;
  float slope_sum = 0.0f;
#pragma unroll
  for (int j = 0; j < kScoresPerLane; ++j) {
    const int key = j * kLanesPerRow + lane % kLanesPerRow;
    const float weight = key < keys ? expf(score[j] - row.reference) : 0.0f;
    weight_sum += weight;
    warp.scores.weights()[r * Scores<T>::kWeightStride + key] = T(weight);
    if constexpr (tangent) {
      slope_sum += weight * slope[j];
      warp.score_tangents.weights()[r * Scores<T>::kWeightStride + key] = T(weight * slope[j]);
    }
  }
  row.weight += sum_of_row(weight_sum);
  row.slope += sum_of_row(slope_sum);
  __syncwarp();
  return factor;
}

/// A row's value, from the lanes that hold it.
__device__ float of_row(float value, int row) {
  return __shfl_sync(kWholeWarp, value, row * kLanesPerRow);
}

/// Element of a tile that a lane handles in its i-th turn.
struct TileElement {
  int row, column;
};

__device__ TileElement tile_element(int turn) {
  const int index = turn * kLanes + static_cast<int>(threadIdx.x) % kLanes;
  return {index / kTile, index % kTile};
}

/// Multiplies the rows of some sums. \param factor of this lane's row
template <typename Sum, int Tiles>
__device__ void rescale(Sum (&sums)[Tiles], float (&tile)[kTile][kTile], float factor) {
#pragma unroll
  for (int t = 0; t < Tiles; ++t) {
    wmma::store_matrix_sync(&tile[0][0], sums[t], kTile, wmma::mem_row_major);
    __syncwarp();
    for (int turn = 0; turn < kTilePerLane; ++turn) {
      const TileElement at = tile_element(turn);
      tile[at.row][at.column] *= of_row(factor, at.row);
    }
    __syncwarp();
    wmma::load_matrix_sync(sums[t], &tile[0][0], kTile, wmma::mem_row_major);
    __syncwarp();
  }
}

/// A warp's scores of one block of keys, before the scale 1/√w.
template <typename T, int Width, bool tangent>
__device__ void score(const Operands<T, Width, tangent>& operands, WarpMemory<T, tangent>& warp, int first) {
  using Sum = typename TensorCore<T>::Sum;
  constexpr int kStride = Matrix<T, kKeys, Width>::kStride;
#pragma unroll
  for (int key = 0; key < kKeys; key += kTile) {
    const T* const q = operands.q.values[first];
    const T* const k = operands.k.values[key];
    Sum sum;
    wmma::fill_fragment(sum, 0.0f);
    multiply_add<Width, Transposed>(sum, q, kStride, k, kStride);
    wmma::store_matrix_sync(&warp.scores.values[0][key], sum, kScoreStride, wmma::mem_row_major);
    if constexpr (tangent) {
      wmma::fill_fragment(sum, 0.0f);
      multiply_add<Width, Transposed>(sum, operands.q_tangent.values[first], kStride, k, kStride);
      multiply_add<Width, Transposed>(sum, q, kStride, operands.k_tangent.values[key], kStride);
      wmma::store_matrix_sync(&warp.score_tangents.values[0][key], sum, kScoreStride, wmma::mem_row_major);
    }
  }
  __syncwarp();
}

/// The sums of one warp's 16 queries, and the rows' softmax.
template <typename T, int Width, Mode mode>
class Accumulator {
 public:
  using Memory = WarpMemory<T, kHasTangent<mode>>;
  using Block = Operands<T, Width, kHasTangent<mode>>;

  __device__ Accumulator() {
    for (Sum& sum : context_) wmma::fill_fragment(sum, 0.0f);
    for (Sum& sum : tangent_) wmma::fill_fragment(sum, 0.0f);
  }

  /// Adds one block of keys. \param first the warp's first query in the thread block
  __device__ void add(const Block& operands, Memory& warp, int first, float scale, int keys) {
    score(operands, warp, first);
    const float factor = weigh(warp, row_, scale, keys);
    if (__any_sync(kWholeWarp, factor != 1.0f)) {
      if constexpr (kSumsContext<mode>) rescale(context_, warp.tile, factor);
      if constexpr (kHasTangent<mode>) rescale(tangent_, warp.tile, factor);
    }
    add_products(operands, warp);
  }

  /// Writes the 16 rows from `query` on. \param offset of the head in a row of a context [L, d]
  __device__ void write(const DualAttention& task, Memory& warp, std::int64_t state, std::int64_t query,
                        std::int64_t offset) {
    const std::int64_t d = task.heads * task.width;
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      float context[kTilePerLane];
      if constexpr (kSumsContext<mode>)
        wmma::store_matrix_sync(&warp.tile[0][0], context_[t], kTile, wmma::mem_row_major);
      __syncwarp();
      for (int turn = 0; turn < kTilePerLane; ++turn) {
        const TileElement at = tile_element(turn);
        const float weight = of_row(row_.weight, at.row);
        const std::int64_t element = (query + at.row) * d + offset + t * kTile + at.column;
        const bool inside = query + at.row < task.length && t * kTile + at.column < task.width;
        if constexpr (kSumsContext<mode>) {
          context[turn] = warp.tile[at.row][at.column] / weight;
          if (inside) task.context[state * task.length * d + element] = context[turn];
        } else {
          context[turn] = inside ? task.given_context[element] : 0.0f;
        }
      }
      __syncwarp();
      if constexpr (kHasTangent<mode>) write_tangent(task, warp, state, query, offset, t, context);
    }
  }

 private:
  static constexpr int kTiles = Width / kTile;
  using Sum = typename TensorCore<T>::Sum;

  __device__ void add_products(const Block& operands, Memory& warp) {
    constexpr int kStride = Matrix<T, kKeys, Width>::kStride;
    constexpr int kWeightStride = Scores<T>::kWeightStride;
    const T* const weights = warp.scores.weights();
#pragma unroll
    for (int t = 0; t < kTiles; ++t) {
      const T* const v = &operands.v.values[0][t * kTile];
      if constexpr (kSumsContext<mode>)
        multiply_add<kKeys, AsIs>(context_[t], weights, kWeightStride, v, kStride);
      if constexpr (kHasTangent<mode>) {
        multiply_add<kKeys, AsIs>(tangent_[t], warp.score_tangents.weights(), kWeightStride, v, kStride);
        multiply_add<kKeys, AsIs>(tangent_[t], weights, kWeightStride,
                                  &operands.v_tangent.values[0][t * kTile], kStride);
      }
    }
    __syncwarp();
  }

  __device__ void write_tangent(const DualAttention& task, Memory& warp, std::int64_t state,
                                std::int64_t query, std::int64_t offset, int t,
                                const float (&context)[kTilePerLane]) {
    const std::int64_t d = task.heads * task.width;
    wmma::store_matrix_sync(&warp.tile[0][0], tangent_[t], kTile, wmma::mem_row_major);
    __syncwarp();
    for (int turn = 0; turn < kTilePerLane; ++turn) {
      const TileElement at = tile_element(turn);
      const float weight = of_row(row_.weight, at.row);
      const float slope = of_row(row_.slope, at.row);
      const std::int64_t element = (query + at.row) * d + offset + t * kTile + at.column;
      if (query + at.row < task.length && t * kTile + at.column < task.width)
        task.context_tangent[state * task.length * d + element] =
            (warp.tile[at.row][at.column] - slope * context[turn]) / weight;
    }
    __syncwarp();
  }

  RowState row_;
  Sum context_[kSumsContext<mode> ? kTiles : 1];  // never read where it is not summed
  Sum tangent_[kHasTangent<mode> ? kTiles : 1];
};

template <typename T, int Width, Mode mode>
__global__ void __launch_bounds__(kThreads) attend_head(const DualAttention task) {
  extern __shared__ __align__(128) unsigned char memory[];
  auto& shared = *reinterpret_cast<Shared<T, Width, mode>*>(memory);
  auto& operands = shared.operands;
  const int warp = static_cast<int>(threadIdx.x) / kLanes;
  const std::int64_t first_query = static_cast<std::int64_t>(blockIdx.x) * kQueries;
  const std::int64_t head = blockIdx.y;
  const std::int64_t state = blockIdx.z;
  const float scale = 1.0f / sqrtf(static_cast<float>(task.width));

  const HeadRows<T> primal = rows_of<T>(task, task.primal, state, head);
  const HeadRows<T> tangent = rows_of<T>(task, task.tangent, state, head);
  load(operands.q, primal.q, primal.stride, first_query, task);
  if constexpr (kHasTangent<mode>) load(operands.q_tangent, tangent.q, tangent.stride, first_query, task);

  Accumulator<T, Width, mode> sums;
  for (std::int64_t key = 0; key < task.length; key += kKeys) {
    __syncthreads();  // every warp is done with the last block
    load(operands.k, primal.k, primal.stride, key, task);
    load(operands.v, primal.v, primal.stride, key, task);
    if constexpr (kHasTangent<mode>) {
      load(operands.k_tangent, tangent.k, tangent.stride, key, task);
      load(operands.v_tangent, tangent.v, tangent.stride, key, task);
    }
    __syncthreads();
    const auto keys = static_cast<int>(task.length - key < kKeys ? task.length - key : kKeys);
    sums.add(operands, shared.warps[warp], warp * kTile, scale, keys);
  }
  sums.write(task, shared.warps[warp], state, first_query + warp * kTile, head * task.width);
}

template <typename T, int Width, Mode mode>
cudaError_t launch(const DualAttention& task, cudaStream_t stream) {
  constexpr std::size_t kBytes = sizeof(Shared<T, Width, mode>);
  static_assert(kBytes <= kMostShared_bytes);
  const auto kernel = attend_head<T, Width, mode>;
  const cudaError_t error =
      cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(kBytes));
  if (error != cudaSuccess) return error;
  const dim3 grid(static_cast<unsigned>((task.length + kQueries - 1) / kQueries),
                  static_cast<unsigned>(task.heads), static_cast<unsigned>(task.states));
  DualAttention argument = task;
  void* arguments[] = {&argument};
  return cudaLaunchKernel(kernel, grid, dim3(kThreads), arguments, kBytes, stream);
}

template <typename T, int Width>
cudaError_t launch_mode(const DualAttention& task, cudaStream_t stream) {
  if (task.tangent.data == nullptr) return launch<T, Width, Mode::Primal>(task, stream);
  if (task.given_context == nullptr) return launch<T, Width, Mode::Dual>(task, stream);
  return launch<T, Width, Mode::Tangent>(task, stream);
}

/// Calls visit with the padded width of a head as a type. \param none what widths beyond 128 give
template <typename Result, typename Visit>
Result with_width(std::int64_t width, Result none, Visit visit) {
  if (width < 1 || width > 128) return none;
  if (width <= 16) return visit(std::integral_constant<int, 16>{});
  if (width <= 32) return visit(std::integral_constant<int, 32>{});
  if (width <= 64) return visit(std::integral_constant<int, 64>{});
  return visit(std::integral_constant<int, 128>{});
}

template <typename T>
cudaError_t launch_width(const DualAttention& task, cudaStream_t stream) {
  return with_width(task.width, cudaErrorInvalidValue,
                    [&](auto width) { return launch_mode<T, width()>(task, stream); });
}

template <typename T>
std::size_t shared_bytes(std::int64_t width) {
  return with_width(width, std::size_t{0}, [](auto w) { return sizeof(Shared<T, w(), Mode::Dual>); });
}

int attribute(cudaDeviceAttr which) {
  int device = 0;
  int value = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  return cudaDeviceGetAttribute(&value, which, device) == cudaSuccess ? value : 0;
}

}  // namespace

bool supports(Operand operand, std::int64_t width) {
  const std::size_t bytes =
      operand == Operand::Float32 ? shared_bytes<float>(width) : shared_bytes<__nv_bfloat16>(width);
  return bytes > 0 && attribute(cudaDevAttrComputeCapabilityMajor) >= 8 &&
         static_cast<std::size_t>(attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)) >= bytes;
}

cudaError_t attend(const DualAttention& task, cudaStream_t stream) {
  if (task.states > kMostInGrid || task.heads > kMostInGrid) return cudaErrorInvalidValue;
  if (task.states == 0 || task.length == 0) return cudaSuccess;
  return task.operand == Operand::Float32 ? launch_width<float>(task, stream)
                                          : launch_width<__nv_bfloat16>(task, stream);
}

}  // namespace regulus::backbone::cuda

#include "regulus/probe/tile_trial.h"

#include <algorithm>
#include <chrono>

#include "regulus/probe/tile_features.h"
#include "regulus/probe/tile_work.h"

namespace regulus::probe {

namespace {

constexpr double kShortest_s = 0.3;  ///< below it a measurement is repeated
constexpr double kLongest_s = 30.0;

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Mean time of work that is done once more as long as all of it took less than kShortest_s.
double steady_seconds_of(const std::function<void()>& work) {
  double total = seconds_of(work);
  int times = 1;
  if (total > kShortest_s) return total;
  total = 0.0;  // the first time allocates
  for (times = 0; total < kShortest_s; ++times) total += seconds_of(work);
  return total / times;
}

/// The same job with fewer sources in its tiles.
ProbeJob with_sources(const ProbeJob& job, std::int64_t count) {
  ProbeJob fewer = job;
  fewer.sources.resize(static_cast<std::size_t>(std::min(count, job.source_count())));
  fewer.sources_per_tile = std::min(count, job.sources_per_tile);
  return fewer;
}

/// One kind's time per work, from one row.
class KindTrial {
 public:
  KindTrial(const backbone::Backbone& model, const ProbeJob& job, TilePart::Kind kind)
      : model_(model), job_(job), kind_(kind) {}

  void operator()() {
    const std::int64_t all = std::min(job_.sources_per_tile, job_.source_count());
    run(1);
    if (seconds_ * static_cast<double>(all) < kLongest_s)
      run(all);
    else if (seconds_ * 2.0 < kLongest_s)
      run(std::max<std::int64_t>(1, static_cast<std::int64_t>(kLongest_s / seconds_)));
  }

  double seconds_per_flop() const { return seconds_ / flops_; }
  double seconds() const { return seconds_; }
  double flops() const { return flops_; }

 private:
  void run(std::int64_t sources) {
    const ProbeJob job = with_sources(job_, sources);
    seconds_ = steady_seconds_of([&] { TileFeatures(job, 0).add(model_, {kind_, 0, 1}); });
    flops_ = work_of_rows(job, model_.pass_shape(), job.plan().block(0), kind_, 1).flops;
  }

  const backbone::Backbone& model_;
  const ProbeJob& job_;
  TilePart::Kind kind_;
  double seconds_ = 0.0, flops_ = 1.0;
};

}  // namespace

TileTrial try_tile(
    const backbone::Backbone& model, const ProbeJob& job,
    const std::function<storage::FeatureStoreWriter::Tile(storage::FeatureStoreWriter::Tile)>& finish) {
  TileTrial trial;
  const storage::TilePlan plan = job.plan();
  double flops = 0.0, seconds = 0.0;
  for (const TilePart::Kind kind : kTilePartKinds) {
    const std::int64_t rows = rows_of_tile(job, kind);
    if (rows == 0) continue;
    KindTrial one(model, job, kind);
    one();
    flops += one.flops();
    seconds += one.seconds();
    for (std::int64_t tile = 0; tile < plan.count(); ++tile)
      trial.job_s +=
          one.seconds_per_flop() * work_of_rows(job, model.pass_shape(), plan.block(tile), kind, rows).flops;
  }
  if (seconds > 0.0) trial.gflops_per_s = 1e-9 * flops / seconds;
  const TileFeatures features(job, 0);
  const double finish_s = steady_seconds_of([&] { finish({0, features.features(model), {}}); });
  trial.job_s += finish_s * static_cast<double>(job.source_count() * job.gene_count()) /
                 static_cast<double>(plan.block(0).pairs());
  trial.workspace_bytes = model.workspace_bytes();
  return trial;
}

}  // namespace regulus::probe

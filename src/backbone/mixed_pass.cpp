#include "mixed_pass.h"

#include <utility>

namespace regulus::backbone {

namespace {

class MixedPass final : public PanelPass {
 public:
  MixedPass(std::unique_ptr<PanelPass> predictions, std::unique_ptr<PanelPass> derivatives)
      : predictions_(std::move(predictions)), derivatives_(std::move(derivatives)) {}

  at::Tensor baseline() override { return predictions_->baseline(); }
  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return predictions_->respond(sources, values);
  }
  at::Tensor attention(const at::Tensor& sources, bool all_layers) override {
    return predictions_->attention(sources, all_layers);
  }
  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    return derivatives_->respond_dual(sources, values);
  }
  at::Tensor tangents(const at::Tensor& sources) override { return derivatives_->tangents(sources); }

 private:
  std::unique_ptr<PanelPass> predictions_, derivatives_;
};

}  // namespace

std::unique_ptr<PanelPass> mix(std::unique_ptr<PanelPass> predictions,
                               std::unique_ptr<PanelPass> derivatives) {
  return std::make_unique<MixedPass>(std::move(predictions), std::move(derivatives));
}

}  // namespace regulus::backbone

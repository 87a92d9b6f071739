#include "mixed_pass.h"

#include <utility>

namespace regulus::backbone {

namespace {

class MixedPass final : public PanelPass {
 public:
  MixedPass(std::unique_ptr<PanelPass> exact, std::unique_ptr<PanelPass> derivatives)
      : exact_(std::move(exact)), derivatives_(std::move(derivatives)) {}

  bool dual_is_exact() const override { return false; }
  at::Tensor baseline() override { return exact_->baseline(); }
  at::Tensor respond(const at::Tensor& sources, const at::Tensor& values) override {
    return exact_->respond(sources, values);
  }
  at::Tensor attention(const at::Tensor& sources, bool all_layers) override {
    return exact_->attention(sources, all_layers);
  }
  DualResponse respond_dual(const at::Tensor& sources, const at::Tensor& values) override {
    return derivatives_->respond_dual(sources, values);
  }
  at::Tensor tangents(const at::Tensor& sources) override { return derivatives_->tangents(sources); }

 private:
  std::unique_ptr<PanelPass> exact_, derivatives_;
};

}  // namespace

std::unique_ptr<PanelPass> mix(std::unique_ptr<PanelPass> exact, std::unique_ptr<PanelPass> derivatives) {
  return std::make_unique<MixedPass>(std::move(exact), std::move(derivatives));
}

}  // namespace regulus::backbone

// args.json: whatever JSON it holds.
#include <nlohmann/json.hpp>

#include "fuzz.h"
#include "regulus/backbone/config.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace regulus;
  const auto json = nlohmann::json::parse(data, data + size, nullptr, false);
  if (json.is_discarded()) return 0;
  fuzz::accepts_or_refuses(ErrorKind::Model, [&] {
    const auto config = backbone::config_from_args(json, "args.json");
    const auto again = backbone::config_from_args(backbone::args_from_config(config), "args.json");
    fuzz::require(again.width == config.width && again.heads == config.heads &&
                      again.hidden == config.hidden && again.layers == config.layers &&
                      again.input.max_panel == config.input.max_panel && again.input.cls == config.input.cls,
                  "another configuration after a round trip");
  });
  return 0;
}

#pragma once

#include <string_view>

namespace connectord::web {

/// The one provider whose checks gates watch.
extern const std::string_view gate_provider;

}  // namespace connectord::web

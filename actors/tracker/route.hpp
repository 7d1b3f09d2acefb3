#pragma once

#include "actors/tracker/evaluate.hpp"
#include "domain/tracker/records.hpp"

#include <optional>
#include <variant>

/// Where a snapshot lands (contract tracker-api, 4.4).
namespace connectord::tracker {

struct landing {
  matched_by how = matched_by::none;
  bool fallback_used = false;             ///< a resource was named, and none was mapped
  std::optional<stored_binding> binding;  ///< discovered or active
  std::optional<project> owner;           ///< without a binding: the project that gets one
  queue_reason reason{};                  ///< without either
};

result<landing> route(change& c, const snapshot_route& r);

}  // namespace connectord::tracker

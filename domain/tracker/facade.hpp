#pragma once

#include "base/result.hpp"
#include "domain/tracker/records.hpp"

#include <optional>
#include <span>
#include <string>

/// How requests of the facade find their binding (contract tracker-api, 7).
namespace connectord::tracker {

/// What a request is about: a binding by its reference, or a project by its slug, or neither.
struct facade_route {
  tracker::provider provider{};
  std::optional<std::string> binding_ref, project_slug;

  bool named() const { return binding_ref || project_slug; }
};

/// Where that led.
struct routed {
  std::vector<binding_view>
      bindings;               ///< the one that is meant, or none; all of the provider where none was named
  std::optional<project> of;  ///< the project that is meant
  bool by_slug = false;
  std::string installation;  ///< of the provider; empty without one

  const binding_view* binding() const { return bindings.empty() ? nullptr : &bindings.front(); }
};

/// Of a project's bindings of one provider, oldest first, the one that its slug means. MAPPING_DISABLED when
/// all of them are disabled; nothing when there are none.
result<const binding_view*> meant_by_slug(std::span<const binding_view> bindings);

enum class validity : std::uint8_t { valid, mapping_deleted, mapping_disabled, project_mismatch };
template <>
struct words<validity> {
  static constexpr auto all =
      std::to_array<std::string_view>({"valid", "mapping_deleted", "mapping_disabled", "project_mismatch"});
};
/// Whether a project may go on with a binding that it was told of. `b` is null for one that is unknown.
validity validity_of(const binding_view* b, provider p, const uuid& project_uuid);

}  // namespace connectord::tracker

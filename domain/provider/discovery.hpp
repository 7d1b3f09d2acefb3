#pragma once

#include "base/result.hpp"
#include "base/time.hpp"
#include "domain/connection.hpp"
#include "domain/provider/definition.hpp"
#include "domain/provider/tracker_issue.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What a connection's account has that issues can belong to, as its provider tells it.
namespace connectord::provider {

struct discovery_policy {
  seconds longest{20};  ///< from the question to the answer: well below what a request may take
  std::size_t resources = 5000, pages = 200;
  seconds kept{60};  ///< how long an answer may be given again
};

/// Why a discovery ended before its last page.
enum class shortfall : std::uint8_t { time, limit, rate_limited, provider_error };
std::string_view name_of(shortfall s);

struct discovery {
  std::string type;                         ///< of each resource, as mappings name it
  std::vector<tracker_resource> resources;  ///< by label, each once; every one has an id and a workspace
  std::optional<shortfall> partial;         ///< there may be more; nothing: these are all
  timestamp read_at{};
};

/// VALIDATION_FAILED for a provider without a tracker; NO_INSTALLATION, with `details.reason`, for a
/// connection that only a consent makes usable.
result<> may_discover(const definition& provider, const connection& c);

/// NO_INSTALLATION for a connection whose tokens the provider refuses.
error tokens_refused();
/// NO_INSTALLATION for one that may not list; `details.missing_scopes` are those of `wanted` that it lacks.
error access_denied(std::span<const std::string> wanted, const connection& c);

/// In the order and form of `discovery::resources`. Names that no binding can have are left out, and with the
/// last of its ids a resource.
std::vector<tracker_resource> arranged(std::vector<tracker_resource> found);

}  // namespace connectord::provider

#pragma once

#include "domain/tracker/records.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What a project can be bound to, and what fits it best (contract tracker-api, 7.2 and 7.3).
namespace connectord::tracker {

/// Part of a tracker: a workspace, or one resource in it.
struct place {
  tracker::provider provider{};
  std::string workspace;
  std::optional<resource_key> resource;
  friend bool operator==(const place&, const place&) = default;
};

/// Members of `provider_context` that are known of a place, in their order.
std::vector<std::pair<std::string_view, std::string>> context_of(const place& at);
/// `linear:acme`, or `linear:acme/abc` of a resource.
std::string label_of(const place& at);

/// What the facade calls a binding's place: its oldest active resource, else its workspace.
place place_of(const binding_view& b);

/// One entry of the resources of a provider.
struct attachable {
  place at;
  std::string label;
  std::string row;  ///< id of the row behind it: breaks ties
  struct owner {
    binding_id binding;
    std::string ref, project_slug;
    timestamp since{};
  };
  std::optional<owner> bound;
  // What waits for it in the queue says where it may belong.
  std::vector<uuid> queued_uuids{};
  std::vector<std::string> queued_slugs{};
};

/// Every resource of live bindings (one without any counts as its workspace) and every place that pending
/// items wait for, unless it is bound for good; by label.
std::vector<attachable> attachables(std::span<const binding_view> bindings,
                                    std::span<const queue_item> pending);

struct project_identity {
  uuid project_uuid;
  std::string slug;
  std::optional<std::string> repo_slug;
};

enum class confidence : std::uint8_t { high, medium, low };

struct candidate {
  attachable what;
  tracker::confidence confidence = tracker::confidence::low;
  std::string_view reason;  ///< a machine code
};

/// Nothing fits.
struct no_match {};
/// A resource that nobody else can be meant with.
struct exact_match {
  attachable what;
};
/// Best first; at least one.
using candidates = std::vector<candidate>;
using bind_proposal = std::variant<no_match, exact_match, candidates>;

/// For a project that has not exactly one binding of the provider.
bind_proposal propose(const project_identity& project, std::vector<attachable> known);

template <>
struct words<confidence> {
  static constexpr auto all = std::to_array<std::string_view>({"high", "medium", "low"});
};

}  // namespace connectord::tracker

#pragma once

#include "domain/provider/sync_facts.hpp"
#include "domain/tracker/names.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A provider as an issue tracker, as data: what its issues hang on, where its messages show one, and
/// what its words mean in ours.
namespace connectord::provider {

/// The provider's words for one of our enumerations.
template <class E>
struct word_map {
  choice of;                                    ///< the provider's word, reported when no case fits
  std::vector<std::pair<conditions, E>> cases;  ///< the first that fits
  std::optional<E> otherwise;                   ///< nothing only for the priority
};

/// What issues belong to. Every name counts that has a value: people call one place by several.
struct resource_facts {
  std::string type;
  sync_facts discover;            ///< one stream, whose items are the resources
  choice ids, workspaces, label;  ///< over a discovered item
};

/// Messages that show an issue: webhooks over the payload, sync items over themselves.
struct issue_source {
  conditions when;
  std::optional<lookup> at;  ///< the issue in the message, which becomes `data:`; none: the message itself
  bool deleted = false;      ///< it says that the issue is no more
};

/// Over the issue, with the message around it as `data:`.
struct issue_facts {
  choice workspaces;  ///< of its identity, best first; the binding's own comes last
  choice id, key, url, title, body;
  std::vector<lookup> assignees, labels;  ///< every text at all of them
  std::vector<time_candidate> updated_at;
  conditions deleted;  ///< empty: never
};

struct tracker_facts {
  tracker::provider system{};
  resource_facts resource;
  choice resources, workspaces;  ///< what an issue says of where it belongs, by the same names
  std::vector<issue_source> webhook, sync;
  issue_facts issue;
  word_map<tracker::external_status> status;
  word_map<tracker::issue_type> type;
  word_map<int> priority;
  /// Who says what a field is: `external` the provider, `shared` the provider where its message has
  /// the field, `local` never. A field without an entry is external.
  std::map<std::string, tracker::owner, std::less<>> ownership;

  tracker::owner owner_of(std::string_view field) const {
    const auto found = ownership.find(field);
    return found == ownership.end() ? tracker::owner::external : found->second;
  }
};

}  // namespace connectord::provider

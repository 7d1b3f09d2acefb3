#include "http/views/permission.hpp"

namespace connectord::web {
namespace {

/// As the dashboard's roles have it: an editor connects and syncs, the team's settings are an
/// administrator's.
std::string_view whose(std::string_view scope) {
  return scope.ends_with(":admin") ? "Only an administrator of the team may do that."
                                   : "Only an editor or an administrator of the team may do that.";
}

}  // namespace

void put_denied(fields f, std::string_view slot, std::span<const std::string_view> labels,
                std::string_view scope) {
  if (labels.empty()) return;
  auto part = f.include(slot, "denied.html");
  part.set("WHOSE", whose(scope)).set("WHOSE_ID", slot);
  for (const auto label : labels) part.add("BUTTON").set("LABEL", label);
}

}  // namespace connectord::web

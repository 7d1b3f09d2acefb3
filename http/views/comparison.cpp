#include "http/views/comparison.hpp"

#include "domain/tracker/drift.hpp"
#include "domain/tracker/text.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

std::string number(const std::optional<int>& n) { return n ? std::to_string(*n) : std::string{}; }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names) (out += out.empty() ? "" : ", ") += n;
  return out;
}

/// 0 means unknown, to trackers.
bool known(const std::optional<int>& priority) { return priority && *priority != 0; }

}  // namespace

std::vector<compared_field> compare(const tracker::work_package& ours, const tracker::issue_content& theirs) {
  std::vector<compared_field> out{
      {"status", std::string{tracker::name_of(ours.lane)}, std::string{tracker::name_of(theirs.status)},
       tracker::in_sync(ours.lane, theirs.status)},
      {"title", ours.title.value_or(""), theirs.title, {}},
      {"assignee", ours.assignee.value_or(""), joined(theirs.assignees), {}},
      {"priority", number(ours.priority), number(theirs.priority), {}}};
  if (ours.title) out[1].same = tracker::collapsed(*ours.title) == tracker::collapsed(theirs.title);
  if (ours.assignee && !theirs.assignees.empty())
    out[2].same = std::ranges::any_of(
        theirs.assignees, [&](const auto& name) { return tracker::same_name(*ours.assignee, name); });
  if (ours.priority && known(theirs.priority)) out[3].same = *ours.priority == *theirs.priority;
  return out;
}

}  // namespace connectord::web

#include "domain/tracker/input.hpp"

#include "base/json.hpp"
#include "base/time.hpp"
#include "domain/tracker/text.hpp"

#include <algorithm>

namespace connectord::tracker {
namespace {

/// What the fraction's fourth to sixth digit say, which milliseconds leave out.
std::chrono::microseconds beyond_millis(std::string_view text) {
  const auto point = text.find('.');
  if (point == std::string_view::npos) return {};
  auto fraction = std::string{text.substr(point + 1, 6)};
  fraction.erase(std::min(fraction.find_first_not_of("0123456789"), fraction.size()));
  fraction.resize(6, '0');
  return std::chrono::microseconds{std::stoi(fraction.substr(3))};
}

}  // namespace

std::optional<provider> read_provider(std::string_view text) {
  const auto name = lower_ascii(trimmed(text));
  if (name == "azure" || name == "azure-devops") return provider::azure_devops;
  return parse<provider>(name);
}

std::optional<doctrine_mode> read_mode(std::string_view text) {
  if (text == "split") return doctrine_mode::split_ownership;
  return parse<doctrine_mode>(text);
}

std::optional<owner> read_owner(std::string_view text) {
  if (text == "spec_kitty") return owner::local;
  return parse<owner>(text);
}

std::string_view field_name(std::string_view text) { return text == "assignees" ? "assignee" : text; }

std::string_view default_resource_type(provider p) {
  switch (p) {
    case provider::jira: return "jira_project";
    case provider::linear: return "linear_team";
    case provider::azure_devops: return "azure_devops_project";
    case provider::github: return "github_repo";
    case provider::gitlab: return "gitlab_project";
    case provider::beads: return "beads_workspace";
    case provider::fp: return "fp_workspace";
  }
  return {};
}

std::optional<external_time> read_time(std::string_view text) {
  const auto whole = parse_rfc3339(text);
  if (!whole) return std::nullopt;
  return external_time{*whole} + beyond_millis(text);
}

std::string to_rfc3339(external_time t) {
  using namespace std::chrono;
  const auto second = floor<seconds>(t);
  auto out = connectord::to_rfc3339_seconds(timestamp{second});
  auto digits = std::to_string((t - second).count() + 1'000'000).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  if (!digits.empty()) out.insert(out.size() - 1, "." + digits);
  return out;
}

}  // namespace connectord::tracker

#pragma once

#include "domain/queries.hpp"
#include "domain/tracker/client_event.hpp"
#include "domain/tracker/model.hpp"
#include "domain/tracker/queries.hpp"
#include "domain/tracker/summary.hpp"

#include <variant>

/// What a tenant is told about its flags and projects. Each command says which answer it gets and, for the
/// audit log, what it is called; each query says what its answer holds.
namespace connectord {

struct change_projects;
struct project_query;

struct project_view {
  tracker::project row;
  tracker::project_tally tally{};
  std::optional<tracker::project_summary> tracker;  ///< absent while the team's flag is off
};
struct work_package_view {
  tracker::work_package row;
  std::optional<tracker::work_package_summary> tracker;  ///< likewise
  bool created = false;
};

struct put_flag {
  using family = change_projects;
  using reply = tracker::feature_flag;
  static constexpr std::string_view audited_as = "flag.put";
  bool enabled = false;
};

/// PROJECT_EXISTS for a slug or uuid that the tenant has.
struct create_project {
  using family = change_projects;
  using reply = project_view;
  static constexpr std::string_view audited_as = "project.create";
  tracker::project row;
  bool with_tracker = false;
};
/// PROJECT_NOT_FOUND; INVALID_TRANSITION for a uuid when there is another one.
struct patch_project {
  using family = change_projects;
  using reply = project_view;
  static constexpr std::string_view audited_as = "project.patch";
  uuid project;  ///< its id or project_uuid
  std::optional<std::string> name, slug;
  std::optional<uuid> project_uuid;
  bool with_tracker = false;
};

/// Members that are not named stay as they are, or get their defaults. Without a mission it is the only work
/// package of that id, or AMBIGUOUS_WORK_PACKAGE.
struct put_work_package {
  using family = change_projects;
  using reply = work_package_view;
  static constexpr std::string_view audited_as = "work_package.put";
  uuid project;
  std::string wp_id;
  std::optional<std::string> mission;  ///< empty: the one without
  std::optional<tracker::lane> lane;
  std::optional<std::optional<std::string>> title, assignee;
  std::optional<std::optional<int>> priority;
  bool with_tracker = false;
};

struct event_result {
  std::string id;
  std::string_view status;  ///< success, duplicate or rejected
  std::optional<std::string> error;
};
/// One transaction. PROJECT_NOT_ADMITTED, with `details.events`, when it names a project that is unknown and
/// may not be made.
struct take_events {
  using family = change_projects;
  using reply = std::vector<event_result>;
  static constexpr std::string_view audited_as = "";
  std::vector<tracker::client_event> events;
};

using project_command = std::variant<put_flag, create_project, patch_project, put_work_package, take_events>;
using project_outcome =
    std::variant<tracker::feature_flag, project_view, work_package_view, std::vector<event_result>>;

/// The mutation that they make together.
struct change_projects {
  using reply = project_outcome;
  project_command what;
  tracker::actor_ref by;
  timestamp now{};
};

// Reads.

struct get_flag {
  using family = project_query;
  using answer = tracker::feature_flag;
};
/// By slug; or in another order, whose key is {place_in(…), slug}.
struct list_projects {
  using family = project_query;
  using answer = rows_page<project_view>;
  keyset at;
  bool with_tracker = false;
  tracker::project_order order = tracker::project_order::name;
};
/// By slug, without what is counted for them.
struct name_projects {
  using family = project_query;
  using answer = std::vector<tracker::project>;
  int limit = 100;
};
struct get_project {
  using family = project_query;
  using answer = project_view;
  uuid project;
  bool with_tracker = false;
};
/// What was open at the end of each UTC day, oldest first; the last one is now.
struct trace_drift {
  using family = project_query;
  using answer = std::vector<std::int64_t>;
  tracker::project_id project;
  int days = 14;
};
struct list_work_packages {
  using family = project_query;
  using answer = rows_page<work_package_view>;
  uuid project;
  tracker::work_package_filter filter;
  keyset at;
  bool with_tracker = false;
};
/// Without a mission it is the only one of that id, or AMBIGUOUS_WORK_PACKAGE with the missions that there
/// are.
struct get_work_package {
  using family = project_query;
  using answer = work_package_view;
  uuid project;
  std::string wp_id;
  std::optional<std::string> mission;
  bool with_tracker = false;
};
/// Newest first. What no index answers is looked for row by row, at most `most_looked_at` of them: such a
/// page may be short, or empty, though there is more.
struct list_activity {
  using family = project_query;
  static constexpr std::int64_t most_looked_at = 10'000;
  struct answer : rows_page<tracker::activity> {
    std::int64_t next = 0;  ///< where there is more: what follows is below this `seq`
    bool stopped = false;   ///< at the bound, before the page was full
  };
  tracker::activity_filter filter;
  keyset at;
};
/// The next rows of a feed, oldest first; what the flag gates only while it is on.
struct follow_activity {
  using family = project_query;
  struct answer {
    rows_page<tracker::activity> page;
    std::int64_t seen = 0;  ///< the reader has what it may see up to here
  };
  tracker::activity_filter filter;
  std::optional<std::int64_t> after;  ///< absent: nothing but where the feed ends now
  int limit = 100;
};

/// The row query that they make together.
struct project_query {
  std::variant<get_flag, list_projects, name_projects, get_project, trace_drift, list_work_packages,
               get_work_package, list_activity, follow_activity>
      what;
  tracker::policy rules{};
  timestamp now{};
};

}  // namespace connectord

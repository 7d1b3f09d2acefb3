#pragma once

#include "domain/tenant.hpp"
#include "http/app.hpp"
#include "http/feed_bells.hpp"
#include "http/views/view.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// Pages of the dashboard: one frame, filled by each page's template.
namespace connectord::web {

inline constexpr std::string_view page_type = "text/html; charset=utf-8";

/// Who looks, and at which team's pages.
struct visitor {
  principal who;
  tenant team;
  std::string name;  ///< as the page shows it
  std::string csrf;  ///< of a session; a bearer needs none, no browser sends it by itself
  bool in_session = false;
  std::string session_sha256{};  ///< of a session
  bool tracker = false;          ///< the team's flag
  page_mark since{};             ///< of a session: what was there when it came

  bool may(std::string_view scope) const { return who.may(scope); }
};

/// `/dashboard/assets/…` of an embedded file; the name holds its digest, so that it may be kept for ever.
std::string_view asset_url(std::string_view file);
/// NOT_FOUND for what is no asset of this binary.
result<response> asset(std::string_view name);

struct page_head {
  std::string_view title, section;  ///< section: Connectors, Projects or Activity
  int status = 200;
  std::string flash{};  ///< what an action came to, said once
};
using filler = std::function<void(fields)>;

response page(const request& r, const visitor& v, const page_head& head, std::string_view file,
              const filler& fill);
/// A page of somebody who is not in yet. `next`: where it goes on by itself.
response door_page(std::string_view title, std::string_view file, const filler& fill, int status = 200,
                   std::string_view next = {});
/// What, why and the next step; in the frame when somebody is in.
/// `next_step`: where it is another one than is usual for such an error.
response problem_page(const error& e, const request& r, const visitor* v, std::string_view next_step = {});
/// To another page, after an action.
response see_other(std::string_view path);

/// Fills a slot with what a panel says in place of rows that could not be read; the rest of the page stands.
void put_failure(fields f, std::string_view slot, const error& e, const request& r);
/// Fills a slot with a time: relative words, and the instant itself for whoever asks; `never` when there is
/// none.
void put_time(fields f, std::string_view slot, const std::optional<timestamp>& t, timestamp now,
              std::string_view never = "never");
/// "just now", "40 s ago", "5 min ago", "in 3 h", "2026-11-28".
std::string relative(timestamp t, timestamp now);

}  // namespace connectord::web

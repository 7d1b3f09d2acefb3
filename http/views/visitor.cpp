#include "http/views/visitor.hpp"

#include "http/query.hpp"
#include "http/team.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

constexpr std::chrono::minutes use_resolution{1};

/// The value of our cookie, when the request has just one.
std::optional<std::string_view> session_secret_of(const request& r) {
  std::optional<std::string_view> found;
  for (const auto& f : r.head.fields) {
    if (!equals_ignoring_case(f.name, "cookie")) continue;
    for (auto rest = std::string_view{f.value}; !rest.empty();) {
      const auto end = std::min(rest.find(';'), rest.size());
      const auto pair = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (!pair.starts_with(session_cookie) || pair.substr(session_cookie.size(), 1) != "=") continue;
      if (found) return std::nullopt;
      found = pair.substr(session_cookie.size() + 1);
    }
  }
  return found;
}

std::string digest_of(std::string_view secret) { return to_hex(bytes_of(sha256(secret))); }

response to_login(const request& r) {
  const auto back = r.method == verb::get ? r.target() : std::string_view{"/dashboard/connectors"};
  return see_other("/dashboard/login?next=" + percent_encoded(back));
}

visitor visitor_of(principal who) {
  visitor v{.who = std::move(who), .team = {}, .name = {}, .csrf = {}};
  v.team = *v.who.team;
  v.name = v.who.is_operator ? "operator" : v.who.token_name;
  v.tracker = v.who.tracker_on;
  return v;
}

/// `?team=` does for an operator's page what the headers do for a call.
asio::awaitable<result<principal>> admit_bearer(app& a, const request& r, std::string_view scope) {
  const auto needed = team_with(scope);
  const bool by_header = r.header("x-tenant-id") || r.header("x-team-slug");
  const auto team = query_reader{r.query}.text("team");
  if (by_header || !team || !a.auth->from_operator(r)) co_return co_await a.auth->admit(needed, r);
  const auto id = tenant_id::parse(*team);
  const auto found = co_await find_named_team(a, id ? team_key{.id = id} : team_key{.slug = *team});
  if (!found) co_return found.error();
  co_return authorize(needed, *found, r);
}

/// A page that looks after itself, and its stream, do not keep a session from being idle.
bool by_hand(const request& r) {
  return !r.header("x-live") && r.header("accept").value_or("") != "text/event-stream";
}

asio::awaitable<result<principal>> admit_session(app& a, request& r, std::string_view secret,
                                                 std::string_view scope) {
  const find_session asked{digest_of(secret), a.facts.tracker.flag_default, r.received_at};
  auto known = co_await ask_registry<known_session>(a, r, asked);
  if (!known) co_return known.error();
  const auto& s = known->session;
  if (by_hand(r) && r.received_at - s.used_at > use_resolution)
    if (const auto noted =
            co_await ask_registry<nothing>(a, r, touch_session{asked.secret_sha256, r.received_at});
        !noted)
      co_return noted.error();
  principal who{.tenant = s.tenant, .token = s.token, .scopes = s.scopes};
  who.session_of = who.token_name = s.who;
  who.team = known->team.row;
  who.tracker_on = known->team.tracker_on;
  if (who.team->status == tenant_status::suspended && !scope.empty() && !scope.ends_with(":read"))
    co_return error{errc::tenant_suspended};
  if (!who.may(scope)) co_return error{errc::forbidden}.with("required_scope", json::string{scope});
  co_return who;
}

/// A form of ours comes from a page of ours.
bool from_here(const app& a, const request& r) {
  if (const auto site = r.header("sec-fetch-site")) return *site == "same-origin" || *site == "none";
  const auto origin = r.header("origin");
  return !origin || *origin == a.facts.public_base_url ||
         origin->substr(std::min(origin->find("://") + 3, origin->size())) == r.header("host").value_or("");
}

}  // namespace

route page_route(app* a, std::string_view path, std::string_view id, std::string_view summary,
                 page_handler f) {
  route r{verb::get, path, id, "dashboard", summary, open_to_all, {{200, "", "The page", page_type}}, {}};
  r.slash_optional = true;
  r.handle = on(a, f);
  return r;
}

route button_route(app* a, std::string_view path, std::string_view id, std::string_view summary,
                   page_handler f, std::vector<int> errors) {
  auto r = page_route(a, path, id, summary, f);
  r.method = verb::post;
  r.answers = {{303, "", "Done"}};
  r.errors = std::move(errors);
  r.payload = payload::raw;
  return r;
}

std::string csrf_of(std::string_view session_secret) {
  return to_base64url(bytes_of(hmac_sha256(session_secret, "dashboard form")));
}

std::string safe_return(std::string_view path) {
  const bool ours = path == "/dashboard" || path.starts_with("/dashboard/");
  const bool plain = std::ranges::all_of(path, [](char c) { return c > ' ' && c < 127 && c != '\\'; });
  return ours && plain && path.size() <= 1000 ? std::string{path} : "/dashboard/connectors";
}

asio::awaitable<result<page_mark>> page_end(app& a, request& r) {
  const auto edition = a.bells->edition();
  const auto feed = co_await read(a, r, follow_activity{});
  if (!feed) co_return feed.error();
  co_return page_mark{(*feed)->seen, edition};
}

asio::awaitable<visit_result> visit(app& a, request& r, std::string_view scope) {
  if (r.head.count("authorization") > 0) {
    auto who = co_await admit_bearer(a, r, scope);
    if (!who) co_return problem_page(who.error(), r, nullptr);
    r.who = *who;
    co_return visitor_of(std::move(*who));
  }
  const auto secret = session_secret_of(r);
  if (!secret) co_return to_login(r);
  auto who = co_await admit_session(a, r, *secret, scope);
  if (!who && who.error().code() == errc::unauthorized) co_return to_login(r);
  if (!who) co_return problem_page(who.error(), r, nullptr);
  r.who = *who;
  auto v = visitor_of(std::move(*who));
  v.in_session = true;
  v.csrf = csrf_of(*secret);
  v.session_sha256 = digest_of(*secret);
  if (r.method != verb::get) co_return v;
  const auto now = co_await page_end(a, r);
  if (!now) co_return problem_page(now.error(), r, nullptr);
  v.since = *now;
  co_return v;
}

asio::awaitable<bool> still_welcome(app& a, request& r, std::string_view scope) {
  if (r.head.count("authorization") > 0) co_return (co_await admit_bearer(a, r, scope)).has_value();
  const auto secret = session_secret_of(r);
  co_return secret && (co_await admit_session(a, r, *secret, scope)).has_value();
}

std::string sent_form::field(std::string_view name) const {
  const auto found = std::ranges::find(fields, name, &std::pair<std::string, std::string>::first);
  return found == fields.end() ? std::string{} : found->second;
}

asio::awaitable<form_result> sent(app& a, request& r, std::string_view scope) {
  auto by = co_await visit(a, r, scope);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  auto& v = std::get<visitor>(by);
  auto fields = form_decoded(r.body);
  if (!fields) co_return problem_page(error{errc::invalid_body, "The form could not be read."}, r, &v);
  sent_form form{std::move(v), std::move(*fields)};
  const auto given = form.field("csrf");
  const bool ours =
      !form.by.in_session ||
      (from_here(a, r) && equal_in_constant_time(bytes_of(sha256(given)), bytes_of(sha256(form.by.csrf))));
  if (!ours)
    co_return problem_page(error{errc::forbidden, "The form did not come from this dashboard."}, r, &form.by);
  co_return form;
}

asio::awaitable<visit_result> visit_tracker(app& a, request& r) {
  auto by = co_await visit(a, r);
  const auto* v = std::get_if<visitor>(&by);
  if (v != nullptr && !v->tracker) co_return problem_page(error{errc::not_found}, r, v);
  co_return by;
}

asio::awaitable<form_result> sent_to_tracker(app& a, request& r) {
  auto form = co_await sent(a, r, "tracker:admin");
  const auto* by = std::get_if<sent_form>(&form);
  if (by != nullptr && !by->by.tracker) co_return problem_page(error{errc::not_found}, r, &by->by);
  co_return form;
}

}  // namespace connectord::web

#pragma once

#include "base/form.hpp"
#include "http/views/page.hpp"

#include <variant>

/// Who may look at a page, and who may press its buttons.
namespace connectord::web {

inline constexpr std::string_view session_cookie = "connectord_session";

/// The visitor, or the answer that takes its place: the login page for somebody unknown, 401 for a bad
/// bearer.
using visit_result = std::variant<visitor, response>;

/// By bearer, as on the API's paths (`?team=` names an operator's team too), or by a session's cookie. From
/// here on the request is the visitor's.
asio::awaitable<visit_result> visit(app& a, request& r, std::string_view scope = "tracker:read");

/// Where changes end now: what a page reads from here on is not older, so its stream goes on from here.
asio::awaitable<result<page_mark>> page_end(app& a, request& r);

/// Whether the same visitor would be let in now, at `received_at`.
asio::awaitable<bool> still_welcome(app& a, request& r, std::string_view scope = "tracker:read");

/// A visitor who sent a form: its fields, and the proof that one of our own pages sent it.
struct sent_form {
  visitor by;
  form_fields fields;

  std::string field(std::string_view name) const;
};
using form_result = std::variant<sent_form, response>;
asio::awaitable<form_result> sent(app& a, request& r, std::string_view scope);

/// The same for pages and forms of the tracker: while the team's flag is off, there are none.
asio::awaitable<visit_result> visit_tracker(app& a, request& r);
asio::awaitable<form_result> sent_to_tracker(app& a, request& r);

using page_handler = asio::awaitable<response> (*)(app&, request&);
/// A page of the dashboard: open to all, since `visit` decides; with and without a slash at its end.
route page_route(app* a, std::string_view path, std::string_view id, std::string_view summary,
                 page_handler f);
/// A button on one, let in by `sent`; it leads to a page. `errors`: what may stand in its way.
route button_route(app* a, std::string_view path, std::string_view id, std::string_view summary,
                   page_handler f, std::vector<int> errors = {409, 422});

/// What a page's form carries against forgery: known to whoever has the cookie.
std::string csrf_of(std::string_view session_secret);
/// A path of the dashboard itself, or its front page.
std::string safe_return(std::string_view path);

}  // namespace connectord::web

#include "http/views/connection_panel.hpp"

#include "domain/tracker/text.hpp"
#include "http/shapes.hpp"
#include "http/views/binding_rows.hpp"
#include "http/views/permission.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

namespace connectord::web {
namespace {

constexpr int rows_of_a_list = 30;  // with the longest texts, a page stays below 60 KB
constexpr std::size_t longest_shown = 80;

std::string_view tone_of(delivery_status s) {
  switch (s) {
    case delivery_status::processed: return "good";
    case delivery_status::failed:
    case delivery_status::quarantined: return "bad";
    case delivery_status::unmatched: return "warn";
    default: return "";
  }
}

std::string_view tone_of(job_status s) {
  switch (s) {
    case job_status::succeeded: return "good";
    case job_status::failed: return "bad";
    default: return "info";
  }
}

sort_key key_of(const delivery& d) { return {to_millis(d.received_at), d.id.str()}; }
sort_key key_of(const job& j) { return {to_millis(j.scheduled_at), j.id.str()}; }
sort_key key_of(const signal& s) { return {to_millis(s.occurred_at), s.id.str()}; }
sort_key key_of(const audit_row& e) { return {to_millis(e.at), e.id}; }

template <class Row, class List>
asio::awaitable<panel> rows_for(app& a, request& r, const address& at, const connection& c, List l) {
  shown_rows<Row> out;
  const auto from = at.at(a, "cursor", rows_of_a_list);
  if (!from) {
    out.page = from.error();
    co_return out;
  }
  l.filter.connection = c.id;
  l.at.limit = rows_of_a_list;
  if (from->after)
    l.at.after =
        position{std::get<std::int64_t>(from->after->at(0)), std::get<std::string>(from->after->at(1))};
  out.page = co_await list<Row>(a, r, std::move(l));
  if (out.page && (*out.page)->more) out.last = key_of((*out.page)->rows.back());
  co_return out;
}

asio::awaitable<panel> bindings_for(app& a, request& r, const address& at, const connection& c) {
  auto from = at.at(a, "cursor", rows_of_a_list);
  if (!from) co_return shown_bindings{from.error()};
  co_return shown_bindings{co_await read(a, r, list_bindings{{.providers = {c.provider}}, std::move(*from)})};
}

void put_error(fields f, const std::optional<std::string>& text) {
  if (text) f.show("ERROR").set("ERROR_TEXT", tracker::shortened(*text, longest_shown));
}

void put_row(fields f, const request& r, const delivery& d) {
  f.set("ID", d.id.text()).set("STATUS", name_of(d.status)).set("STATUS_WORD", worded(name_of(d.status)));
  f.set("EVENT", tracker::shortened(d.event_type.value_or("—"), longest_shown))
      .set("TONE", tone_of(d.status));
  f.set("BYTES", d.body_bytes).set("REPEATS", d.duplicates);
  put_error(f, d.error);
  put_time(f, "AT", d.received_at, r.received_at);
}

void put_row(fields f, const request& r, const job& j) {
  f.set("ID", j.id.text()).set("STATUS", name_of(j.status)).set("STATUS_WORD", worded(name_of(j.status)));
  f.set("KIND", worded(name_of(j.type))).set("TONE", tone_of(j.status));
  f.set("ATTEMPTS", j.attempts).set("SIGNALS", j.signals_emitted);
  if (j.error) put_error(f, j.error->message);
  put_time(f, "AT", j.scheduled_at, r.received_at);
  put_time(f, "ENDED", j.finished_at, r.received_at, "—");
}

void put_row(fields f, const request& r, const signal& s) {
  f.set("ID", s.id.text()).set("KIND", s.kind).set("KIND_WORD", worded(s.kind));
  f.set("ENTITY", tracker::shortened(s.entity, longest_shown));
  f.set("ORIGIN", s.delivery ? "webhook" : "sync");
  put_time(f, "AT", s.occurred_at, r.received_at);
}

/// What was done to a connection, in the words of its page.
std::string done_to_connection(std::string_view action) {
  constexpr std::array known{
      std::pair{"connection.create", "Added"},
      std::pair{"connection.connect", "Connected"},
      std::pair{"connection.patch", "Changed"},
      std::pair{"connection.refresh", "Refreshed its tokens"},
      std::pair{"connection.rotate_secret", "Made a new webhook secret"},
      std::pair{"connection.delete", "Disconnected"},
      std::pair{"connection.revoke", "Told that access had ended"},
      std::pair{"sync.request", "Asked for a sync"},
  };
  const auto* found = std::ranges::find(known, action, &std::pair<const char*, const char*>::first);
  return found == known.end() ? std::string{action} : found->second;
}

/// "session:Ana" is Ana: who stands behind a token or the operator is not known.
std::string who_did(std::string_view actor) {
  constexpr std::string_view person = "session:";
  if (actor.starts_with(person)) actor.remove_prefix(person.size());
  return tracker::shortened(actor, longest_shown);
}

void put_row(fields f, const request& r, const audit_row& e) {
  f.set("ACTION", e.action).set("ACTION_WORD", done_to_connection(e.action)).set("WHO_DID", who_did(e.actor));
  f.set("TRACE_ID", e.trace_id);
  put_time(f, "AT", e.at, r.received_at);
}

/// Buttons of a list are in the form around it: one key makes a second press of the same one harmless.
void put_form(fields f, const visitor& v, const standing& s) {
  f.set("SELF", s.actions()).set("CSRF", v.csrf).set("KEY", random_token(12));
}

template <class Row>
void put_rows(fields f, const app& a, const request& r, const visitor& v, const address& at,
              const standing& s, const shown_rows<Row>& found) {
  put_form(f, v, s);
  if (!found.page && found.page.error().code() == errc::forbidden) return void(f.show("DENIED"));
  if (!found.page) return put_failure(f, "FAILURE", found.page.error(), r);
  f.show((*found.page)->rows.empty() ? "NONE" : "SOME");
  constexpr bool deliveries = std::is_same_v<Row, delivery>;
  const bool may_replay = deliveries && v.may("deliveries:write");
  f.show_if(may_replay, "MAY_REPLAY");
  constexpr std::array label{std::string_view{"Replay"}};
  if (deliveries && !may_replay) put_denied(f, "REPLAY_DENIED", label, "deliveries:write");
  for (const auto& x : (*found.page)->rows) {
    auto row = f.add("ROW");
    put_row(row, r, x);
    if constexpr (deliveries)
      if (may_replay)
        row.add("REPLAY").set("REPLAY_URL", s.actions() + "/deliveries/" + x.id.str() + "/replay");
  }
  if (found.last) f.show("MORE").set("MORE_URL", at.more(a, "cursor", *found.last));
}

void put_rows(fields f, const app& a, const request& r, const visitor&, const address& at, const standing& s,
              const shown_bindings& found) {
  f.set("PROVIDER", s.row.provider);
  if (!found.page) return put_failure(f, "FAILURE", found.page.error(), r);
  const auto& rows = (*found.page)->rows;
  if (rows.empty()) return void(f.show("NONE"));
  auto list = f.add("SOME");
  put_binding_rows(list.include("ROWS", "binding_rows.html"), a, rows, r.received_at);
  if ((*found.page)->more)
    list.show("MORE").set(
        "MORE_URL", at.more(a, "cursor", {to_millis(rows.back().row.created_at), rows.back().row.id.str()}));
}

}  // namespace

asio::awaitable<std::optional<panel>> panel_for(app& a, request& r, const visitor& v, const address& at,
                                                const connection& c, std::string_view chosen) {
  if (chosen == bindings_tab) co_return co_await bindings_for(a, r, at, c);
  if (chosen == "webhooks") {
    if (!v.may("deliveries:read")) co_return panel{shown_rows<delivery>{}};
    co_return co_await rows_for<delivery>(a, r, at, c, list_deliveries{});
  }
  if (chosen == "jobs") {
    if (!v.may("jobs:read")) co_return panel{shown_rows<job>{}};
    co_return co_await rows_for<job>(a, r, at, c, list_jobs{});
  }
  if (chosen == "signals") {
    if (!v.may("signals:read")) co_return panel{shown_rows<signal>{}};
    co_return co_await rows_for<signal>(a, r, at, c,
                                        list_signals{.filter = {}, .at = {}, .with = signal_extra::origin});
  }
  if (chosen == "audit") {
    if (!v.may("connections:write")) co_return panel{shown_rows<audit_row>{}};
    co_return co_await rows_for<audit_row>(a, r, at, c, list_audit{});
  }
  co_return std::nullopt;
}

void put_panel(fields f, const app& a, const request& r, const visitor& v, const address& at,
               const standing& s, const panel& chosen) {
  constexpr std::array files{"connection_deliveries.html", "connection_jobs.html", "connection_signals.html",
                             "connection_audit.html", "connection_bindings.html"};
  auto part = f.include("PANEL", files.at(chosen.index()));
  std::visit([&](const auto& found) { put_rows(part, a, r, v, at, s, found); }, chosen);
}

}  // namespace connectord::web

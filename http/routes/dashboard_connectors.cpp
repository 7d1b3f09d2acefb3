#include "domain/sync_state.hpp"
#include "domain/tracker/text.hpp"
#include "http/consent.hpp"
#include "http/gates.hpp"
#include "http/shapes.hpp"
#include "http/team.hpp"
#include "http/views/address.hpp"
#include "http/views/binding_rows.hpp"
#include "http/views/permission.hpp"
#include "http/views/visitor.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>
#include <set>

/// The front page: everything that a team is connected with (tracker-api, 9.1). Each of its lists is read and
/// paged for itself, so that one that fails leaves the others standing.
namespace connectord::web {
namespace {

constexpr int rows_of_a_list = 30;
constexpr std::size_t longest_shown = 80;

/// What the filter bar says.
struct wanted {
  std::optional<std::string> provider, show, text;

  bool takes(std::string_view slug, std::initializer_list<std::string_view> texts) const {
    if (provider && *provider != slug) return false;
    if (!text) return true;
    const auto part = tracker::lower_ascii(*text);
    return std::ranges::any_of(
        texts, [&](auto t) { return tracker::lower_ascii(t).find(part) != std::string::npos; });
  }
  bool only_attention() const { return show == "attention"; }
};

constexpr std::array shows{std::pair{"", "in use"}, std::pair{"attention", "needs attention"},
                           std::pair{"revoked", "disconnected"}};

/// Rows of one list, and behind which row it goes on.
template <class Row>
struct listed {
  std::vector<Row> rows;
  std::optional<sort_key> last;
};

/// Reads on until a page is full of rows that fit.
template <class List, class Fits, class Key>
asio::awaitable<result<listed<typename decltype(List::answer::rows)::value_type>>> fitting(app& a, request& r,
                                                                                           List l, Fits fits,
                                                                                           Key key_of) {
  listed<typename decltype(List::answer::rows)::value_type> out;
  for (l.at.limit = 100;;) {
    const auto found = co_await read(a, r, l);
    if (!found) co_return found.error();
    for (const auto& row : (*found)->rows) {
      if (!fits(row)) continue;
      if (std::ssize(out.rows) == rows_of_a_list) {
        out.last = key_of(out.rows.back());
        co_return out;
      }
      out.rows.push_back(row);
    }
    if (!(*found)->more) co_return out;
    l.at.after = key_of((*found)->rows.back());
  }
}

sort_key key_of_gate(const tracker::gate& g) { return {to_millis(g.created_at), g.id.str()}; }
sort_key key_of_binding(const tracker::binding_view& b) {
  return {to_millis(b.row.created_at), b.row.id.str()};
}
sort_key key_of_connection(const connection& c) {
  return {std::int64_t{needs_attention(c) ? 0 : 1}, to_millis(c.created_at), c.id.str()};
}

void put_more(fields f, const app& a, const address& at, std::string_view cursor,
              const std::optional<sort_key>& last) {
  if (last) f.show("MORE").set("MORE_URL", at.more(a, cursor, *last));
}

// ---- connections

struct some_connections : listed<connection> {
  std::int64_t total = 0, attention = 0;
};

asio::awaitable<result<some_connections>> connections_for(app& a, request& r, const address& at,
                                                          const wanted& w) {
  const auto from = at.at(a, "connections", rows_of_a_list);
  if (!from) co_return from.error();
  auto all = co_await connections(a, r);
  if (!all) co_return all.error();
  some_connections out;
  std::ranges::stable_sort(all->rows, {}, key_of_connection);
  for (auto& c : all->rows) {
    const bool attention = needs_attention(c);
    out.total += c.usable() ? 1 : 0;
    out.attention += attention ? 1 : 0;
    if (c.usable() == (w.show == "revoked") || (w.only_attention() && !attention)) continue;
    if (!w.takes(c.provider, {c.external_id, c.display_name.value_or("")})) continue;
    if ((from->after && key_of_connection(c) <= *from->after) || out.last) continue;
    if (std::ssize(out.rows) == rows_of_a_list)
      out.last = key_of_connection(out.rows.back());
    else
      out.rows.push_back(std::move(c));
  }
  co_return out;
}

void put_connection(fields f, const app& a, const visitor& v, const connection& c, timestamp now) {
  const auto* definition = a.catalog.find(c.provider);
  if (v.tracker && v.may("tracker:admin") && c.usable() && definition != nullptr && definition->tracker)
    f.add("BIND").set("BIND_URL", "/dashboard/connections/" + c.id.str() + "/bindings/new");
  const bool syncs = definition != nullptr && definition->sync;
  f.set("KIND", c.provider).set("URL", "/dashboard/connectors/" + c.id.str());
  f.set("NAME", tracker::shortened(c.display_name.value_or(c.external_id), longest_shown));
  f.set("STATE", name_of(c.status)).set("STATE_WORD", worded(name_of(c.status)));
  f.set("TONE", needs_attention(c) ? "bad" : tone_of(c.status));
  const auto why = because(c, syncs, now);
  if (!why.empty()) f.show("WHY").set("WHY_TEXT", tracker::shortened(why, 160));
  put_time(f, "SYNCED", read_sync(c.metadata).last_success_at, now, "—");
  put_time(f, "EXPIRES", c.expires_at, now, "—");
}

void put_connections(fields f, const app& a, const request& r, const visitor& v, const address& at,
                     const result<some_connections>& found) {
  if (!found && found.error().code() == errc::forbidden)
    f.show("DENIED");
  else if (!found)
    put_failure(f, "FAILURE", found.error(), r);
  if (!found) return;
  f.show(found->rows.empty() ? "NONE" : "SOME");
  f.set("TOTAL", found->total).set("ATTENTION", found->attention);
  for (const auto& c : found->rows) put_connection(f.add("ROW"), a, v, c, r.received_at);
  put_more(f, a, at, "connections", found->last);
}

// ---- trackers

constexpr std::array bind_button{std::string_view{"Bind a tracker"}};

/// How many snapshots wait; beyond a page, at least how many.
asio::awaitable<result<std::string>> waiting(app& a, request& r) {
  list_queue pending;
  pending.filter.states = {std::string{tracker::name_of(tracker::queue_state::pending)}};
  pending.at.limit = 100;
  const auto found = co_await read(a, r, std::move(pending));
  if (!found) co_return found.error();
  co_return std::to_string((*found)->rows.size()) + ((*found)->more ? "+" : "");
}

struct some_bindings {
  result<std::string> waiting{"—"};
  result<listed<tracker::binding_view>> found{listed<tracker::binding_view>{}};
};

asio::awaitable<some_bindings> bindings_for(app& a, request& r, const address& at, const wanted& w) {
  some_bindings out;
  out.waiting = co_await waiting(a, r);
  auto from = at.at(a, "trackers", rows_of_a_list);
  if (!from) {
    out.found = from.error();
    co_return out;
  }
  list_bindings l;
  l.at = std::move(*from);
  const auto fits = [&w](const tracker::binding_view& b) {
    return w.show != "revoked" && (!w.only_attention() || needs_attention(b.row)) &&
           w.takes(tracker::name_of(b.row.provider), {b.row.workspace, b.row.display_label, b.project.slug});
  };
  out.found = co_await fitting(a, r, std::move(l), fits, key_of_binding);
  if (out.found)
    std::ranges::stable_partition(out.found->rows, [](const auto& b) { return needs_attention(b.row); });
  co_return out;
}

void put_bindings(fields f, const app& a, const request& r, const visitor& v, const address& at,
                  const some_bindings& some) {
  const bool may_bind = v.may("tracker:admin");
  f.set("QUEUE_COUNT", some.waiting ? *some.waiting : "—").show_if(may_bind, "MAY_BIND");
  if (!may_bind) put_denied(f, "BIND_DENIED", bind_button, "tracker:admin");
  if (!some.found) return put_failure(f, "FAILURE", some.found.error(), r);
  if (some.found->rows.empty()) return void(f.show("NONE"));
  auto list = f.add("SOME");
  put_binding_rows(list.include("ROWS", "binding_rows.html"), a, some.found->rows, r.received_at);
  put_more(list, a, at, "trackers", some.found->last);
}

// ---- gates

struct some_gates : listed<tracker::gate> {
  std::map<tracker::project_id, std::string> slugs;  ///< of their projects, as far as they are known
};

asio::awaitable<result<some_gates>> gates_for(app& a, request& r, const address& at, const wanted& w) {
  auto from = at.at(a, "gates", rows_of_a_list);
  if (!from) co_return from.error();
  list_gates l;
  l.at = std::move(*from);
  const auto fits = [&w](const tracker::gate& g) {
    return !w.show && w.takes(gate_provider, {g.repository});
  };
  auto found = co_await fitting(a, r, std::move(l), fits, key_of_gate);
  if (!found) co_return found.error();
  some_gates out{std::move(*found), {}};
  for (const auto& g : out.rows) {
    if (out.slugs.contains(g.project)) continue;
    const auto project = co_await read(a, r, get_project{.project = g.project.value()});
    out.slugs.emplace(g.project, project ? (*project)->row.slug : g.project.str());
  }
  co_return out;
}

void put_gates(fields f, const app& a, const request& r, const address& at, const result<some_gates>& found) {
  if (!found) return put_failure(f, "FAILURE", found.error(), r);
  f.show(found->rows.empty() ? "NONE" : "SOME");
  for (const auto& g : found->rows) {
    auto row = f.add("ROW");
    row.set("KIND", gate_provider).set("NAME", tracker::shortened(g.repository, longest_shown));
    row.set("PROJECT", found->slugs.at(g.project));
    row.set("PROJECT_URL", "/dashboard/projects/" + g.project.str());
    put_time(row, "SINCE", g.created_at, r.received_at);
  }
  put_more(f, a, at, "gates", found->last);
}

// ---- the page

void put_filters(fields f, const app& a, const visitor& v, const wanted& w) {
  std::set<std::string_view> slugs;
  for (const auto& d : a.catalog.all()) slugs.insert(d.slug);
  if (v.tracker)
    slugs.insert(tracker::words<tracker::provider>::all.begin(),
                 tracker::words<tracker::provider>::all.end());
  for (const auto slug : slugs) f.add("PROVIDER").set("SLUG", slug).show_if(w.provider == slug, "CHOSEN");
  for (const auto& [value, word] : shows)
    f.add("SHOW")
        .set("SHOW_VALUE", value)
        .set("SHOW_WORD", word)
        .show_if(w.show.value_or("") == value, "CHOSEN");
  f.set("Q", w.text.value_or(""));
}

constexpr std::array connect_button{std::string_view{"Connect"}};

/// Providers that this deployment can ask for consent.
void put_offers(fields f, const app& a, const visitor& v) {
  if (a.clients->empty()) return;
  if (!v.may("connections:write"))
    return put_denied(f, "CONNECT_DENIED", connect_button, "connections:write");
  auto form = f.add("MAY_CONNECT").set("CSRF", v.csrf);
  for (const auto& [slug, client] : *a.clients) form.add("OFFER").set("SLUG", slug);
}

asio::awaitable<response> show_connectors(app& a, request& r) {
  auto by = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  address at{r};
  const wanted w{at.filter("provider"), at.filter("show", {"attention", "revoked"}), at.filter("q")};
  result<some_connections> connected = error{errc::forbidden};
  if (v.may("connections:read")) connected = co_await connections_for(a, r, at, w);
  some_bindings bound;
  if (v.tracker) bound = co_await bindings_for(a, r, at, w);
  const auto gates = co_await gates_for(a, r, at, w);
  co_return page(r, v, {.title = "Connectors", .section = "Connectors", .flash = said(at, v.tracker)},
                 "connectors.html", [&](fields f) {
                   f.show(at.filtered() ? "FILTERED" : "UNFILTERED");
                   put_filters(f, a, v, w);
                   put_offers(f, a, v);
                   put_connections(f.add("CONNECTIONS"), a, r, v, at, connected);
                   if (v.tracker) put_bindings(f.add("TRACKER"), a, r, v, at, bound);
                   put_gates(f.add("GATES"), a, r, at, gates);
                 });
}

/// On to the provider's page for consent. No redirect: a form of ours leads nowhere but here
/// (Content-Security-Policy), so the page goes on by itself.
asio::awaitable<response> connect(app& a, request& r) {
  auto form = co_await sent(a, r, "connections:write");
  if (auto* instead = std::get_if<response>(&form)) co_return std::move(*instead);
  const auto& by = std::get<sent_form>(form);
  const auto provider = by.field("provider");
  const auto begun = co_await begin_consent(a, r, provider);
  if (!begun) co_return problem_page(begun.error(), r, &by.by);
  auto out = door_page(
      "Connecting", "consent.html",
      [&](fields f) { f.set("PROVIDER", provider).set("NEXT", begun->authorize_url); }, 200,
      begun->authorize_url);
  co_return std::move(out).with("Set-Cookie", consent_cookie(a, provider));
}

}  // namespace

void add_dashboard_connector_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, "/dashboard/connectors", "connectorsPage",
                             "Everything that the team is connected with", show_connectors));
  table.push_back(button_route(a, "/dashboard/connectors/connect", "connectFromPage",
                               "On to a provider's page for consent", connect, {}));
  table.back().answers = {{200, "", "A page that leads there", page_type}};
}

}  // namespace connectord::web

#include "domain/sync_state.hpp"
#include "domain/tracker/text.hpp"
#include "http/shapes.hpp"
#include "http/views/connection_panel.hpp"
#include "http/views/connection_traffic.hpp"
#include "http/views/permission.hpp"
#include "http/views/words.hpp"

#include <algorithm>
#include <array>

/// One connection: how it is, what came in through it, and what somebody may do about it.
namespace connectord::web {
namespace {

constexpr std::size_t longest_shown = 80;

asio::awaitable<result<standing>> find_connection(app& a, request& r, const visitor& v) {
  if (!v.may("connections:read")) co_return error{errc::forbidden};
  const auto id = connection_id::parse(r.param("id"));
  if (!id) co_return error{errc::not_found};
  const auto all = co_await connections(a, r);
  if (!all) co_return all.error();
  const auto row = std::ranges::find(all->rows, *id, &connection::id);
  if (row == all->rows.end()) co_return error{errc::not_found};
  const auto job = all->syncing.find(*id);
  co_return standing{*row, job == all->syncing.end() ? std::nullopt : std::optional{job->second}};
}

/// What stood in the way of a button, and what was typed beside it.
struct refusal {
  std::string why, typed;
};

struct tab {
  std::string_view name, word;
};
constexpr std::array tabs{tab{"", "Overview"}, tab{bindings_tab, "Bindings"}, tab{"webhooks", "Webhooks"},
                          tab{"jobs", "Jobs"}, tab{"signals", "Signals"},     tab{"audit", "Audit"}};

std::string shown_name(const connection& c) {
  return tracker::shortened(c.display_name.value_or(c.external_id), longest_shown);
}

// ---- overview

void put_scopes(fields f, const app& a, const connection& c) {
  f.show_if(c.scopes.empty(), "NO_SCOPES");
  for (const auto& s : c.scopes) f.add("SCOPE").set("SCOPE_NAME", s);
  const auto facts = a.facts.providers.find(c.provider);
  if (c.scopes.empty() || facts == a.facts.providers.end()) return;
  std::optional<fields> lacks;
  for (const auto& wanted : facts->second.scopes) {
    if (std::ranges::find(c.scopes, wanted) != c.scopes.end()) continue;
    if (!lacks) lacks = f.add("LACKS");
    lacks->add("LACK").set("SCOPE_NAME", wanted);
  }
}

/// What the provider says that it still takes from the account; not known is not zero.
void put_limit(fields f, const std::optional<told_limit>& limit, timestamp now) {
  if (!limit) return void(f.show("NO_LIMIT"));
  auto part = f.add("LIMIT").set("LIMIT_LEFT", limit->calls.left).set("LIMIT_OF", limit->calls.of);
  part.set("LIMIT_LOW", limit->calls.of / 10);
  put_time(part, "LIMIT_AT", limit->at, now);
}

void put_overview(fields f, const app& a, const request& r, const visitor& v, const standing& s,
                  const refusal& refused, const shown_traffic& traffic) {
  const auto& c = s.row;
  const auto* definition = a.catalog.find(c.provider);
  const auto sync = read_sync(c.metadata);
  f.set("PROVIDER", c.provider).set("ACCOUNT", c.external_id);
  f.set("ACCESS", c.access_ciphertext ? "kept, sealed" : "none");
  f.set("REFRESHABLE", c.refresh_ciphertext ? "kept, sealed" : "none");
  f.set("SECRET", c.has_own_secret() ? "its own ••••••••" : "the deployment's, if any");
  put_time(f, "CREATED", c.created_at, r.received_at);
  put_time(f, "UPDATED", c.updated_at, r.received_at);
  put_time(f, "EXPIRES", c.expires_at, r.received_at, "—");
  if (definition != nullptr && definition->sync) {
    auto part = f.add("SYNCS").set("JOB", s.job ? name_of(*s.job) : "idle");
    put_time(part, "SYNCED", sync.last_success_at, r.received_at);
    put_time(part, "NEXT", c.next_run_at, r.received_at, "—");
    put_limit(part, sync.limit, r.received_at);
  }
  put_traffic(f, r, traffic);
  put_scopes(f, a, c);
  if (definition != nullptr && definition->webhooks)
    f.add("HOOK").set("HOOK_URL",
                      a.facts.public_base_url + "/webhooks/" + c.provider + "/" + r.tenant().str());
  if (!c.usable()) return;
  std::vector<std::string_view> labels{"Disconnect …"};
  const bool hooks = definition != nullptr && definition->webhooks;
  if (hooks) labels.insert(labels.begin(), "New webhook secret …");
  if (!v.may("connections:write")) return put_denied(f, "CHANGES_DENIED", labels, "connections:write");
  f.set("SELF", s.actions()).set("CSRF", v.csrf);
  if (hooks) f.add("ROTATE").set("AS_OF", to_millis(c.updated_at));
  auto form = f.add("DISCONNECT");
  form.set("CONFIRM", refused.typed).show_if(!refused.typed.empty(), "TYPED");
}

// ---- the page

void put_actions(fields f, const app& a, const visitor& v, const standing& s) {
  const auto* definition = a.catalog.find(s.row.provider);
  if (definition == nullptr) return;
  const bool usable = s.row.usable();
  std::vector<std::string_view> sections, denied;
  const auto offer = [&](bool there, std::string_view section, std::string_view scope,
                         std::string_view label) {
    if (there) v.may(scope) ? sections.push_back(section) : denied.push_back(label);
  };
  offer(usable && definition->sync && s.row.access_ciphertext, "SYNC", "sync:write", "Sync now");
  offer(usable && definition->oauth && s.row.refresh_ciphertext, "REFRESH", "connections:write",
        "Refresh tokens");
  offer(a.clients->contains(s.row.provider), "CONSENT", "connections:write", "Connect again");
  put_denied(f, "ACTIONS_DENIED", denied, "connections:write");
  if (sections.empty()) return;
  auto form = f.add("ACTIONS").set("SELF", s.actions()).set("CSRF", v.csrf).set("PROVIDER", s.row.provider);
  for (const auto section : sections) form.show(section);
}

void put_fresh(fields f, const standing& s, const new_webhook_secret& fresh, timestamp now) {
  auto part = f.add("FRESH").set("FRESH_SECRET", fresh.value.reveal()).set("BACK", s.path());
  part.show(fresh.previous_valid_until ? "OVERLAP" : "FIRST");
  put_time(part, "UNTIL", fresh.previous_valid_until, now);
}

/// Whether projects can be bound to what the connection's provider has, as far as the team may know.
bool tracks(const app& a, const visitor& v, const connection& c) {
  const auto* definition = a.catalog.find(c.provider);
  return v.tracker && definition != nullptr && definition->tracker;
}

/// Whoever may not bind sees that somebody may.
void put_way_to_bind(fields f, const app& a, const visitor& v, const connection& c) {
  if (!c.usable() || !tracks(a, v, c)) return;
  if (v.may("tracker:admin"))
    f.add("BIND").set("BIND_URL", "/dashboard/connections/" + c.id.str() + "/bindings/new");
  else
    put_denied(f, "BIND_DENIED", std::array{std::string_view{"Bind tracker…"}}, "tracker:admin");
}

/// `fresh`: a secret that nobody has seen yet.
asio::awaitable<response> connection_page(app& a, request& r, const visitor& v, const standing& s,
                                          refusal refused = {}, int status = 200,
                                          const new_webhook_secret* fresh = nullptr) {
  address at{r};
  const bool bindable = tracks(a, v, s.row);
  auto chosen = at.filter("tab", {bindings_tab, "webhooks", "jobs", "signals", "audit"}).value_or("");
  if (chosen == bindings_tab && !bindable) chosen.clear();
  const auto content = co_await panel_for(a, r, v, at, s.row, chosen);
  shown_traffic traffic = error{errc::forbidden};
  if (!content) traffic = co_await traffic_for(a, r, v, s.row);
  const auto name = shown_name(s.row);
  const auto* definition = a.catalog.find(s.row.provider);
  co_return page(
      r, v, {.title = name, .section = "Connectors", .status = status, .flash = said(at, v.tracker)},
      "connection.html", [&](fields f) {
        f.set("NAME", name).set("PROVIDER", s.row.provider).set("STATE", name_of(s.row.status));
        f.set("STATE_WORD", worded(name_of(s.row.status)));
        f.set("TONE", needs_attention(s.row) ? "bad" : web::tone_of(s.row.status));
        f.set("BECAUSE", because(s.row, definition != nullptr && definition->sync, r.received_at));
        if (!refused.why.empty()) f.show("PROBLEM").set("PROBLEM_TEXT", refused.why);
        for (const auto& t : tabs)
          if (bindable || t.name != bindings_tab)
            f.add("TAB")
                .set("TAB_WORD", t.word)
                .set("TAB_URL", s.path() + (t.name.empty() ? "" : "?tab=" + std::string{t.name}))
                .show_if(t.name == chosen, "CURRENT");
        if (fresh != nullptr) put_fresh(f, s, *fresh, r.received_at);
        put_actions(f, a, v, s);
        put_way_to_bind(f, a, v, s.row);
        if (content)
          put_panel(f, a, r, v, at, s, *content);
        else
          put_overview(f.include("PANEL", "connection_overview.html"), a, r, v, s, refused, traffic);
      });
}

asio::awaitable<response> show_connection(app& a, request& r) {
  auto by = co_await visit(a, r);
  if (auto* instead = std::get_if<response>(&by)) co_return std::move(*instead);
  const auto& v = std::get<visitor>(by);
  const auto found = co_await find_connection(a, r, v);
  if (!found) co_return problem_page(found.error(), r, &v);
  co_return co_await connection_page(a, r, v, *found);
}

// ---- buttons

/// What a button does with the connection that its page shows: where that leads, or why it does not.
using action = asio::awaitable<result<std::string>> (*)(app&, request&, const sent_form&, const standing&);

/// A refusal is shown on the page itself, with what was typed.
asio::awaitable<response> press(app& a, request& r, std::string_view scope, action act) {
  auto sent_by = co_await sent(a, r, scope);
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_connection(a, r, form.by);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  const auto next = co_await act(a, r, form, *found);
  if (next) co_return see_other(*next);
  const auto& e = next.error();
  if (e.code() == errc::not_found) co_return problem_page(e, r, &form.by);
  co_return co_await connection_page(a, r, form.by, *found, {because(e), form.field("confirm")},
                                     traits_of(e.code()).http_status);
}

asio::awaitable<result<std::string>> sync_now(app& a, request& r, const sent_form& form, const standing& s) {
  const auto* definition = a.catalog.find(s.row.provider);
  if (definition == nullptr || !definition->sync) co_return invalid("provider", "has nothing to sync");
  const auto mode = form.field("mode") == "full" ? job_type::full : job_type::incremental;
  const auto made = co_await command(a, r, request_sync{s.row.provider, s.row.id, mode, r.received_at});
  if (!made) co_return made.error();
  co_return with_said(s.path() + "?tab=jobs", made->jobs.front().coalesced ? "in-the-queue" : "queued");
}

asio::awaitable<result<std::string>> refresh_now(app& a, request& r, const sent_form&, const standing& s) {
  r.deadline = std::chrono::steady_clock::now() + a.facts.oauth_patience;
  const auto made = co_await command(a, r, force_refresh{s.row.id, refresh_cause::force, r.received_at});
  if (!made) co_return made.error();
  co_return with_said(s.path(), "refreshed");
}

asio::awaitable<result<std::string>> disconnect(app& a, request& r, const sent_form& form,
                                                const standing& s) {
  if (s.row.usable()) {
    if (trimmed(form.field("confirm")) != s.row.external_id)
      co_return error{errc::validation_failed,
                      "That is not what the account is called: nothing was changed."};
    const auto gone = co_await command(a, r, delete_connection{s.row.id, r.received_at});
    if (!gone) co_return gone.error();
  }
  co_return with_said("/dashboard/connectors", "disconnected");
}

asio::awaitable<result<std::string>> replay(app& a, request& r, const sent_form& form, const standing& s) {
  const auto id = delivery_id::parse(r.param("delivery"));
  if (!id) co_return error{errc::not_found};
  auto meta = admitted(a, r, r.tenant());
  if (!meta) co_return meta.error();
  tenant_command c{std::move(*meta), mutation{replay_delivery{*id, std::nullopt, r.received_at}}};
  const auto key = form.field("key");
  if (!key.empty() && key.size() <= 255)
    c.key = idempotency{r.tenant().str() + " POST " + std::string{r.target()}, key,
                        to_hex(bytes_of(sha256(r.body)))};
  const auto next = with_said(s.path() + "?tab=webhooks", "replayed");
  c.render = [next](const outcome&) { return kept_answer{303, {}, next}; };
  const auto done = co_await command(a, r, r.tenant(), std::move(c));
  if (!done) co_return done.error();
  co_return next;
}

/// The answer is the page itself, since the secret is shown once. A form from before the last change, such as
/// a second press, changes nothing: of two new secrets in a row nobody would have seen the first one.
asio::awaitable<response> rotate(app& a, request& r) {
  auto sent_by = co_await sent(a, r, "connections:write");
  if (auto* instead = std::get_if<response>(&sent_by)) co_return std::move(*instead);
  const auto& form = std::get<sent_form>(sent_by);
  const auto found = co_await find_connection(a, r, form.by);
  if (!found) co_return problem_page(found.error(), r, &form.by);
  if (form.field("as_of") != std::to_string(to_millis(found->row.updated_at)))
    co_return co_await connection_page(a, r, form.by, *found,
                                       {"The connection has changed since: look at it again. A secret that "
                                        "was made meanwhile was shown then.",
                                        {}},
                                       409);
  const auto made = co_await command(a, r, rotate_webhook_secret{found->row.id, r.received_at});
  if (!made) co_return problem_page(made.error(), r, &form.by);
  const auto now = co_await find_connection(a, r, form.by);
  if (!now) co_return problem_page(now.error(), r, &form.by);
  co_return co_await connection_page(a, r, form.by, *now, {}, 200, &*made);
}

asio::awaitable<response> press_sync(app& a, request& r) { return press(a, r, "sync:write", sync_now); }
asio::awaitable<response> press_refresh(app& a, request& r) {
  return press(a, r, "connections:write", refresh_now);
}
asio::awaitable<response> press_disconnect(app& a, request& r) {
  return press(a, r, "connections:write", disconnect);
}
asio::awaitable<response> press_replay(app& a, request& r) { return press(a, r, "deliveries:write", replay); }

}  // namespace

void add_dashboard_connection_routes(std::vector<route>& table, app* a) {
  table.push_back(page_route(a, "/dashboard/connectors/{id}", "connectionPage",
                             "A connection and what came through it", show_connection));
  const auto press = [&](std::string_view path, std::string_view id, std::string_view text, page_handler f) {
    table.push_back(button_route(a, path, id, text, f, {409, 422, 502}));
  };
  press("/dashboard/connections/{id}/sync", "syncFromPage", "Queue a sync of the connection", press_sync);
  press("/dashboard/connections/{id}/refresh", "refreshFromPage", "Exchange its refresh token now",
        press_refresh);
  press("/dashboard/connections/{id}/webhook-secret", "rotateSecretFromPage",
        "A new webhook secret, shown once", rotate);
  table.back().answers = {{200, "", "The page, with the secret", page_type}};
  press("/dashboard/connections/{id}/disconnect", "disconnectFromPage", "Revoke it and erase its secrets",
        press_disconnect);
  press("/dashboard/connections/{id}/deliveries/{delivery}/replay", "replayFromPage",
        "Process a delivery once more", press_replay);
}

}  // namespace connectord::web

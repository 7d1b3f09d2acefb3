#include "actors/plan_parts.hpp"
#include "base/log.hpp"
#include "domain/oauth/exchange.hpp"
#include "domain/provider/url.hpp"
#include "storage/connections.hpp"
#include "storage/job_queue.hpp"
#include "storage/oauth_states.hpp"
#include "storage/refresh_intents.hpp"

#include <boost/json/serialize.hpp>

/// Consent and tokens: the rows that are written before a provider is asked, and after it answered.
namespace connectord {
namespace {

/// 256 bits, 43 characters.
std::string random_text() {
  digest256 bits;
  random_bytes(bits);
  return to_base64url(bytes_of(bits));
}

std::string digest_of(std::string_view text) { return to_hex(bytes_of(sha256(text))); }

const oauth::client* client_of(const services& s, std::string_view provider) {
  const auto found = s.clients.find(provider);
  return found == s.clients.end() ? nullptr : &found->second;
}

/// What the account says now, over what was there: a user's own members and the sync record stay.
std::string merged(std::string_view metadata, std::string_view account) {
  auto into = parse_json_object(metadata).value();
  for (auto& [name, value] : parse_json_object(account).value()) into[name] = std::move(value);
  return json::serialize(into);
}

/// The row of a consent, new or renewed.
connection_change granted(const services& s, const tenant_state& state, const store_grant& c) {
  auto change =
      decide_connection(state, {c.provider, c.account.external_id, c.account.display_name, {}}, c.now);
  auto& row = change.row;
  row.metadata = merged(row.metadata, c.account.metadata);
  row.status = connection_status::active;
  row.status_reason.reset();
  const auto* client = client_of(s, c.provider);
  row.scopes = c.tokens.scopes.empty() && client ? client->scopes : c.tokens.scopes;
  row.expires_at = c.tokens.expires_at;
  const auto t = state.row().id;
  row.access_ciphertext = sealed(s, t, row, c.tokens.access);
  row.refresh_ciphertext.reset();
  if (c.tokens.refresh) row.refresh_ciphertext = sealed(s, t, row, *c.tokens.refresh);
  row.next_run_at.reset();  // set when the first run ends
  identify(s, row);
  return change;
}

std::optional<secret> opened(const services& s, const tenant_id& t, const connection& c,
                             const std::optional<std::string>& ciphertext) {
  if (!ciphertext) return std::nullopt;
  auto plain = s.keys.open(*ciphertext, secret_scope(t, c.provider, c.id));
  if (!plain) {
    log::error("token.undecryptable", {{"tenant_id", t}, {"connection_id", c.id}, {"provider", c.provider}});
    return std::nullopt;
  }
  return secret{std::move(*plain)};
}

outcome said(refresh_step step) { return outcome{std::move(step)}; }
outcome failed(error why, bool lasting = false) { return said(refresh_failed{std::move(why), lasting}); }

outcome lend(const services& s, const tenant_state& state, const connection& c) {
  auto access = opened(s, state.row().id, c, c.access_ciphertext);
  if (!access) return failed(error{errc::conflict, "The connection has no usable token."}, true);
  return said(lent_token{std::move(*access), c.token_epoch});
}

bool wants_exchange(const connection& c, const begin_refresh& b, const services& s) {
  switch (b.cause) {
    case refresh_cause::force: return oauth::last_refreshed(c.metadata) <= b.asked;
    case refresh_cause::sweep: return oauth::is_due(c, b.now, s.refresh.lead, s.refresh.tick);
    case refresh_cause::use: break;
  }
  return b.rejected == c.token_epoch || oauth::is_expired(c, b.now);
}

std::string region_of(const services& s, const connection& c) {
  const auto* client = client_of(s, c.provider);
  return provider::region_of(*s.catalog.find(c.provider), parse_json_object(c.metadata).value(),
                             client ? client->region : std::string{});
}

plan claim_intent(const services_ptr& s, const tenant_state& state, const connection& c,
                  const begin_refresh& b, const secret& presented) {
  const auto t = state.row().id;
  oauth::refresh_intent wanted{.id = intent_id::make(),
                               .connection = c.id,
                               .fence = c.token_epoch + 1,
                               .refresh_sha256 = digest_of(presented.reveal()),
                               .started_at = b.now,
                               .lease_expires_at = b.now + s->refresh.intent_lease};
  plan p;
  p.work = [t, wanted, presented, region = region_of(*s, c)](storage::session& db) -> result<effect> {
    const auto claimed = storage::claim_refresh_intent(db, t, wanted);
    if (!claimed) return claimed.error();
    switch (claimed->outcome) {
      case storage::intent_claim::opened:
      case storage::intent_claim::retaken:
        return effect{said(refresh_begun{claimed->intent, presented, region,
                                         claimed->outcome == storage::intent_claim::retaken, false})};
      case storage::intent_claim::busy: return effect{said(refresh_elsewhere{false, wanted.fence - 1})};
      case storage::intent_claim::stale: break;
    }
    auto stands = reread(db, t, wanted.connection);
    if (!stands) return stands.error();
    return effect{said(refresh_elsewhere{true, wanted.fence - 1}), {std::move(*stands)}};
  };
  p.changes = true;
  return p;
}

/// Tokens that came are stored, whatever else is going on.
plan store_tokens(const services_ptr& s, const tenant_state& state, const connection& c, const end_refresh& e,
                  oauth::token_set tokens) {
  const auto t = state.row().id;
  storage::refreshed_tokens stored{.access = sealed(*s, t, c, tokens.access),
                                   .refresh = {},
                                   .with_previous = e.begun.with_previous,
                                   .expires_at = tokens.expires_at,
                                   .scopes = tokens.scopes};
  if (tokens.refresh) stored.refresh = sealed(*s, t, c, *tokens.refresh);
  plan p;
  p.work = [t, intent = e.begun.intent, stored, access = tokens.access,
            now = e.now](storage::session& db) -> result<effect> {
    const auto mine = storage::store_refreshed(db, t, intent, stored, now);
    if (!mine) return mine.error();
    auto stands = reread(db, t, intent.connection);
    if (!stands) return stands.error();
    auto answer = *mine ? said(lent_token{access, stands->token_epoch}) : said(refresh_elsewhere{true});
    return effect{std::move(answer), {std::move(*stands)}};
  };
  p.changes = true;
  return p;
}

/// The intent's end without tokens.
plan end_intent(const tenant_state& state, const connection& c, outcome answer,
                std::function<result<>(storage::session&)> end) {
  plan p{changing(state.row().id, c.id, std::move(end),
                  [answer = std::move(answer)](const connection&) { return answer; })};
  p.changes = true;
  return p;
}

struct refresh_planner {
  const services_ptr& s;
  const tenant_state& state;
  const connection& c;
  const end_refresh& e;

  decision operator()(oauth::use_tokens& d) const {
    return store_tokens(s, state, c, e, std::move(d.tokens));
  }
  decision operator()(const oauth::refuse& d) const {
    const auto& why = std::get<oauth::failure>(e.answer);
    return end_intent(state, c, failed(oauth::as_error(why, c.provider), true),
                      [t = state.row().id, i = e.begun.intent, reason = std::string{d.reason},
                       now = e.now](storage::session& db) -> result<> {
                        const auto kept = storage::store_refusal(db, t, i, reason, now);
                        return kept ? result<>{} : kept.error();
                      });
  }
  decision operator()(const oauth::try_previous&) const {
    auto previous = opened(*s, state.row().id, c, c.previous_refresh->ciphertext);
    if (!previous) return failed(error{errc::conflict, "The previous token cannot be read."});
    auto again = e.begun;
    again.presented = std::move(*previous);
    again.with_previous = true;
    return said(std::move(again));
  }
  decision operator()(const oauth::try_later& d) const {
    return end_intent(
        state, c, failed(oauth::as_error(d.why, c.provider)),
        [t = state.row().id, i = e.begun.intent, keep = d.keep_intent, now = e.now](storage::session& db) {
          return keep ? storage::release_refresh_intent(db, t, i, now)
                      : storage::close_refresh_intent(db, t, i);
        });
  }
  decision operator()(const oauth::discard&) const {
    return end_intent(state, c, said(refresh_elsewhere{true}),
                      [t = state.row().id, i = e.begun.intent](storage::session& db) {
                        return storage::close_refresh_intent(db, t, i);
                      });
  }
};

}  // namespace

decision plan_start_oauth(const services_ptr& s, const tenant_state& state, const start_oauth& c) {
  const auto* client = client_of(*s, c.provider);
  if (client == nullptr) return invalid("provider", "is not configured for OAuth");
  const auto value = random_text();
  const secret verifier{random_text()};
  auto url = oauth::authorize_url(*s->catalog.find(c.provider), *client, value, verifier);
  if (!url) return url.error();
  oauth::state row{.id = state_id::make(),
                   .tenant = state.row().id,
                   .sha256 = digest_of(value),
                   .provider = c.provider,
                   .redirect_uri = client->redirect_uri,
                   .verifier_ciphertext = {},
                   .created_at = c.now,
                   .expires_at = c.now + s->oauth_state_ttl};
  row.verifier_ciphertext = s->keys.seal(verifier.reveal(), oauth::verifier_scope(row));
  plan p;
  p.object = row.id.str();
  p.work = [row, answer = started_oauth{std::move(*url)}](storage::session& db) -> result<effect> {
    if (const auto kept = storage::insert_oauth_state(db, row); !kept) return kept.error();
    return effect{outcome{answer}};
  };
  return p;
}

decision plan_grant(const services_ptr& s, const tenant_state& state, const store_grant& c) {
  auto [row, created] = granted(*s, state, c);
  const auto t = state.row().id;
  const auto id = row.id;
  const bool syncs = s->catalog.find(c.provider)->sync.has_value();
  plan p{changing(
      t, id,
      [t, row = std::move(row), created, syncs, now = c.now](storage::session& db) -> result<> {
        auto stored = row;
        if (const auto kept = write_connection(db, t, stored, created); !kept) return kept.error();
        if (const auto kept = storage::replace_tokens(db, t, stored); !kept) return kept.error();
        if (!syncs) return {};
        const auto queued = storage::enqueue_job(db, t, incremental_job(stored, incremental_priority, now),
                                                 storage::pausing::ended);
        return queued ? result<>{} : queued.error();
      },
      [created](const connection& now) {
        return outcome{stored_connection{now, created}};
      })};
  p.changes = true;
  p.queues_work = syncs;
  p.object = id.str();
  return p;
}

std::optional<http_request> revocation_of(const services& s, const tenant_id& t, const connection& c) {
  const auto& definition = *s.catalog.find(c.provider);
  const auto* known = client_of(s, c.provider);
  if (known == nullptr || !definition.oauth || !definition.oauth->revoke) return std::nullopt;
  const auto access = opened(s, t, c, c.access_ciphertext);
  if (!access) return std::nullopt;
  auto client = *known;
  client.region = region_of(s, c);
  auto request = oauth::revoke_request(definition, client, *access,
                                       opened(s, t, c, c.refresh_ciphertext).value_or(secret{}));
  if (!request) return std::nullopt;
  return std::move(*request);
}

decision plan_refreshed(const tenant_state& state, const force_refresh& c) {
  plan p;
  p.work = [t = state.row().id, id = c.id](storage::session& db) -> result<effect> {
    auto row = reread(db, t, id);
    if (!row) return row.error();
    return effect{outcome{stored_connection{std::move(*row)}}};
  };
  return p;
}

decision plan_begin_refresh(const services_ptr& s, const tenant_state& state, const begin_refresh& b) {
  const auto* c = state.find(b.id);
  if (c == nullptr) return error{errc::not_found};
  const bool exchange = wants_exchange(*c, b, *s);
  const auto may = oauth::may_refresh(*c);
  if (b.cause == refresh_cause::force && !may) return may.error();
  if (!c->usable()) return failed(error{errc::conflict, "The connection is revoked."}, true);
  if (b.cause != refresh_cause::force && c->status == connection_status::error)
    return failed(error{errc::conflict, "The connection needs a new consent."}, true);
  if (!exchange || (b.joined && c->token_epoch > *b.joined)) return lend(*s, state, *c);
  if (!may) {
    if (b.rejected == c->token_epoch) return failed(error{errc::unauthorized}, true);
    return lend(*s, state, *c);  // spent by the clock alone; the provider has the last word
  }
  auto presented = opened(*s, state.row().id, *c, c->refresh_ciphertext);
  if (!presented) return failed(error{errc::conflict, "The connection has no usable token."}, true);
  return claim_intent(s, state, *c, b, *presented);
}

decision plan_end_refresh(const services_ptr& s, const tenant_state& state, const end_refresh& e) {
  const auto* c = state.find(e.begun.intent.connection);
  if (c == nullptr) return failed(error{errc::not_found});
  const oauth::attempt how{e.begun.presented.reveal(), e.begun.retaken, e.begun.with_previous};
  auto decided = oauth::decide_refresh(*c, e.begun.intent, how, e.answer, e.now);
  return std::visit(refresh_planner{s, state, *c, e}, decided);
}

}  // namespace connectord

#include "storage/oauth_states.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

using oauth::state_verdict;

#define STATE_COLUMNS \
  "tenant_id, id, state_sha256, provider, redirect_uri, verifier_ciphertext, created_at, expires_at"

oauth::state read_state(const row& r) {
  return {.id = read_id<state_id>(r, 1),
          .tenant = read_id<tenant_id>(r, 0),
          .sha256 = r.str(2),
          .provider = r.str(3),
          .redirect_uri = r.str(4),
          .verifier_ciphertext = r.maybe_bytes(5),
          .created_at = r.time(6),
          .expires_at = r.time(7)};
}

}  // namespace

result<> insert_oauth_state(session& s, const oauth::state& state) {
  return done(s.execute("INSERT INTO oauth_states (" STATE_COLUMNS
                        ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        {state.tenant, state.id, state.sha256, state.provider, state.redirect_uri,
                         maybe_blob(state.verifier_ciphertext), state.created_at, state.expires_at}));
}

result<consumed_state> consume_oauth_state(session& s, std::string_view sha256, std::string_view provider,
                                           timestamp now) {
  auto taken = find_one(s,
                        "UPDATE oauth_states SET consumed_at = $3 WHERE state_sha256 = $1 AND provider = $2"
                        " AND consumed_at IS NULL AND expires_at > $3 RETURNING " STATE_COLUMNS,
                        {sha256, provider, now}, read_state);
  if (!taken) return taken.error();
  if (*taken) return consumed_state{state_verdict::valid, std::move(*taken)};
  // Lost for good: whatever changes now changes nothing about that.
  const auto used =
      find_one(s, "SELECT consumed_at FROM oauth_states WHERE state_sha256 = $1 AND provider = $2",
               {sha256, provider}, [](const row& r) { return !r.is_null(0); });
  if (!used) return used.error();
  if (!*used) return consumed_state{};
  return consumed_state{**used ? state_verdict::used : state_verdict::expired, {}};
}

}  // namespace connectord::storage

#include "storage/refresh_intents.hpp"

#include "storage/codec.hpp"
#include "storage/select.hpp"

namespace connectord::storage {
namespace {

using oauth::refresh_intent;

#define INTENT_COLUMNS "id, connection_id, fence, refresh_sha256, started_at, lease_expires_at"

refresh_intent read_intent(const row& r) {
  return {.id = read_id<intent_id>(r, 0),
          .connection = read_id<connection_id>(r, 1),
          .fence = r.integer(2),
          .refresh_sha256 = r.str(3),
          .started_at = r.time(4),
          .lease_expires_at = r.time(5)};
}

/// The row stays locked until the transaction ends, which orders claims and stores of one connection.
result<bool> lock_at_epoch(session& s, tenant_id tenant, const refresh_intent& i) {
  return any(
      s.execute("UPDATE connections SET token_epoch = token_epoch"
                " WHERE tenant_id = $1 AND id = $2 AND token_epoch = $3 AND status <> 'revoked'",
                {tenant, i.connection, i.fence - 1}));
}

result<> end(session& s, tenant_id tenant, const refresh_intent& i, std::string_view outcome) {
  return done(
      s.execute("UPDATE refresh_intents SET outcome = $3"
                " WHERE tenant_id = $1 AND id = $2 AND outcome IS NULL",
                {tenant, i.id, outcome}));
}

/// What was open for tokens that are gone.
result<> end_older(session& s, tenant_id tenant, const refresh_intent& i) {
  return done(
      s.execute("UPDATE refresh_intents SET outcome = 'discarded' WHERE tenant_id = $1"
                " AND connection_id = $2 AND outcome IS NULL AND fence <> $3",
                {tenant, i.connection, i.fence}));
}

result<bool> insert(session& s, tenant_id tenant, const refresh_intent& i) {
  return any(
      s.execute("INSERT INTO refresh_intents (tenant_id, " INTENT_COLUMNS
                ") VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                {tenant, i.id, i.connection, i.fence, i.refresh_sha256, i.started_at, i.lease_expires_at}));
}

result<std::optional<refresh_intent>> take_over(session& s, tenant_id tenant, const refresh_intent& i) {
  return find_one(s,
                  "UPDATE refresh_intents SET lease_expires_at = $3 WHERE tenant_id = $1"
                  " AND connection_id = $2 AND outcome IS NULL AND lease_expires_at <= $4"
                  " RETURNING " INTENT_COLUMNS,
                  {tenant, i.connection, i.lease_expires_at, i.started_at}, read_intent);
}

/// The database copies a refresh token that stays: the bytes that the caller once read may have been
/// sealed again with another key since.
result<> move_refresh_tokens(session& s, tenant_id tenant, connection_id id, const refreshed_tokens& tokens,
                             timestamp now) {
  if (tokens.with_previous)
    return done(
        s.execute("UPDATE connections SET refresh_ciphertext = COALESCE($3, previous_refresh_ciphertext),"
                  " previous_refresh_ciphertext = NULL, previous_refresh_valid_until = NULL"
                  " WHERE tenant_id = $1 AND id = $2",
                  {tenant, id, maybe_blob(tokens.refresh)}));
  if (!tokens.refresh) return {};
  return done(
      s.execute("UPDATE connections SET previous_refresh_ciphertext = refresh_ciphertext,"
                " previous_refresh_valid_until = $4, refresh_ciphertext = $3"
                " WHERE tenant_id = $1 AND id = $2",
                {tenant, id, blob{*tokens.refresh}, now + oauth::previous_refresh_kept}));
}

}  // namespace

result<claimed_intent> claim_refresh_intent(session& s, tenant_id tenant, const refresh_intent& wanted) {
  const auto current = lock_at_epoch(s, tenant, wanted);
  if (!current) return current.error();
  if (!*current) return claimed_intent{};
  if (const auto ended = end_older(s, tenant, wanted); !ended) return ended.error();
  const auto opened = insert(s, tenant, wanted);
  if (!opened) return opened.error();
  if (*opened) return claimed_intent{intent_claim::opened, wanted};
  const auto retaken = take_over(s, tenant, wanted);
  if (!retaken) return retaken.error();
  if (*retaken) return claimed_intent{intent_claim::retaken, **retaken};
  const auto theirs = find_open_intent(s, tenant, wanted.connection);
  if (!theirs) return theirs.error();
  return claimed_intent{intent_claim::busy, theirs->value()};
}

result<std::optional<refresh_intent>> find_open_intent(session& s, tenant_id tenant, connection_id id) {
  return find_one(s,
                  "SELECT " INTENT_COLUMNS
                  " FROM refresh_intents"
                  " WHERE tenant_id = $1 AND connection_id = $2 AND outcome IS NULL",
                  {tenant, id}, read_intent);
}

result<bool> store_refreshed(session& s, tenant_id tenant, const refresh_intent& mine,
                             const refreshed_tokens& tokens, timestamp now) {
  const auto metadata = find_one(
      s,
      "UPDATE connections SET access_ciphertext = $4, token_epoch = $5, expires_at = $6,"
      " scopes = COALESCE($7, scopes), status = 'active', status_reason = NULL, updated_at = $8"
      " WHERE tenant_id = $1 AND id = $2 AND token_epoch = $3 AND status <> 'revoked' RETURNING metadata",
      {tenant, mine.connection, mine.fence - 1, blob{tokens.access}, mine.fence, tokens.expires_at,
       tokens.scopes.empty() ? std::nullopt : std::optional{encode_texts(tokens.scopes)}, now},
      [](const row& r) { return r.str(0); });
  if (!metadata) return metadata.error();
  if (!*metadata) {
    if (const auto ended = end(s, tenant, mine, "discarded"); !ended) return ended.error();
    return false;
  }
  const auto noted = s.execute("UPDATE connections SET metadata = $3 WHERE tenant_id = $1 AND id = $2",
                               {tenant, mine.connection, oauth::refreshed_metadata(**metadata, now)});
  if (!noted) return noted.error();
  if (const auto moved = move_refresh_tokens(s, tenant, mine.connection, tokens, now); !moved)
    return moved.error();
  if (const auto ended = end(s, tenant, mine, "stored"); !ended) return ended.error();
  return true;
}

result<bool> store_refusal(session& s, tenant_id tenant, const refresh_intent& mine, std::string_view reason,
                           timestamp now) {
  const auto written =
      any(s.execute("UPDATE connections SET status = 'error', status_reason = $4, updated_at = $5"
                    " WHERE tenant_id = $1 AND id = $2 AND token_epoch = $3 AND status <> 'revoked'",
                    {tenant, mine.connection, mine.fence - 1, reason, now}));
  if (!written) return written;
  if (const auto ended = end(s, tenant, mine, *written ? "refused" : "discarded"); !ended)
    return ended.error();
  return written;
}

result<> close_refresh_intent(session& s, tenant_id tenant, const refresh_intent& mine) {
  return end(s, tenant, mine, "failed");
}

result<> release_refresh_intent(session& s, tenant_id tenant, const refresh_intent& mine, timestamp now) {
  return done(
      s.execute("UPDATE refresh_intents SET lease_expires_at = $3"
                " WHERE tenant_id = $1 AND id = $2 AND outcome IS NULL",
                {tenant, mine.id, now}));
}

result<std::int64_t> expire_refresh_leases(session& s, timestamp now) {
  return s.execute(
      "UPDATE refresh_intents SET lease_expires_at = $1 WHERE outcome IS NULL AND lease_expires_at > $1",
      {now});
}

}  // namespace connectord::storage

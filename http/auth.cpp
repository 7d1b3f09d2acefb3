#include "http/auth.hpp"

#include "http/request.hpp"

#include <algorithm>

namespace connectord::web {
namespace {

error unauthorized() { return error{errc::unauthorized}; }

constexpr std::string_view id_header = "x-tenant-id", slug_header = "x-team-slug";

bool for_teams(const access& a) { return a.kind == access_kind::team || a.kind == access_kind::credential; }
bool only_reads(const access& a) { return a.scope.empty() || a.scope == "tracker:read"; }

bool names(std::string_view text, const tenant& t) {
  if (t.slug && text == *t.slug) return true;
  const auto id = tenant_id::parse(text);
  return id && *id == t.id;
}

/// Whether every header that names a team means this one; with a token, also by its private name.
bool means(const request& r, const team_standing& found) {
  return std::ranges::all_of(r.head.fields, [&](const auto& f) {
    if (!equals_ignoring_case(f.name, id_header) && !equals_ignoring_case(f.name, slug_header)) return true;
    return names(f.value, found.row) || (found.token && f.value == private_team_of(found.token->id));
  });
}

}  // namespace

bool principal::may(std::string_view scope) const noexcept {
  if (is_operator || scope.empty()) return true;
  const auto has = [this](std::string_view s) { return std::ranges::find(scopes, s) != scopes.end(); };
  if (has(scope) || has("*")) return true;
  if (scope == "tracker:read") return has("tracker:write") || has("tracker:admin");
  return scope == "tracker:write" && has("tracker:admin");
}

std::optional<std::string_view> bearer_of(const request& r) noexcept {
  // Two credentials on one request: nobody can say which one was meant.
  if (r.head.count("authorization") != 1) return std::nullopt;
  const auto value = *r.header("authorization");
  constexpr std::string_view scheme = "bearer ";
  if (value.size() <= scheme.size() || !equals_ignoring_case(value.substr(0, scheme.size()), scheme))
    return std::nullopt;
  const auto bearer = trimmed(value.substr(scheme.size()));
  if (bearer.empty() || bearer.find_first_of(" \t") != bearer.npos) return std::nullopt;
  return bearer;
}

bool looks_like_tenant_token(std::string_view bearer) noexcept {
  if (bearer.size() != 47 || !bearer.starts_with("cdt_")) return false;
  bearer.remove_prefix(4);
  return std::all_of(bearer.begin(), bearer.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  });
}

result<tenant_id> tenant_header_of(const request& r) {
  std::optional<tenant_id> named;
  for (const auto& f : r.head.fields) {
    if (!equals_ignoring_case(f.name, "x-tenant-id")) continue;
    const auto id = tenant_id::parse(f.value);
    if (!id) return invalid("X-Tenant-Id", "must be a UUID");
    if (named && *named != *id) return error{errc::tenant_scope_mismatch};
    named = id;
  }
  if (!named) return invalid("X-Tenant-Id", "is required");
  return *named;
}

result<principal> authorize(const access& needed, principal caller, const request& r) {
  if (needed.kind == access_kind::operator_) {
    if (!caller.is_operator) return error{errc::forbidden, "An operator token is required."};
    return caller;
  }
  if (!caller.may(needed.scope))
    return error{errc::forbidden}.with("required_scope", json::string{needed.scope});
  if (!caller.is_operator && r.head.count("x-tenant-id") == 0) return caller;
  const auto named = tenant_header_of(r);
  if (!named) return named.error();
  if (caller.tenant && *caller.tenant != *named) return error{errc::tenant_scope_mismatch};
  caller.tenant = *named;
  return caller;
}

std::string private_team_of(const token_id& token) { return "private-" + token.str(); }

result<principal> authorize(const access& needed, const team_standing& found, const request& r) {
  principal caller{.is_operator = !found.token, .tenant = found.row.id};
  if (found.token) {
    auto bearer = principal_of(*found.token, r.received_at);
    if (!bearer) return bearer.error();
    caller = std::move(*bearer);
    caller.token_name = found.token->name;
  }
  if (!means(r, found))
    return found.token ? error{errc::tenant_scope_mismatch}
                       : invalid("X-Team-Slug", "names another team than X-Tenant-Id");
  if (found.row.status == tenant_status::suspended && !only_reads(needed))
    return error{errc::tenant_suspended};
  if (!caller.may(needed.scope))
    return error{errc::forbidden}.with("required_scope", json::string{needed.scope});
  if (needed.gated && !found.tracker_on) return error{errc::feature_disabled};
  caller.team = found.row;
  caller.tracker_on = found.tracker_on;
  return caller;
}

result<std::optional<team_key>> team_named_in(const request& r) {
  if (const auto text = r.header(id_header)) {
    const auto id = tenant_id::parse(*text);
    if (!id) return invalid("X-Tenant-Id", "must be a UUID");
    return std::optional{team_key{.id = id}};
  }
  if (const auto text = r.header(slug_header)) {
    if (const auto id = tenant_id::parse(*text)) return std::optional{team_key{.id = id}};
    return std::optional{team_key{.slug = std::string{*text}}};
  }
  return std::optional<team_key>{};
}

result<principal> principal_of(const tenant_token& token, timestamp now) {
  if (token.revoked_at || (token.expires_at && *token.expires_at <= now)) return unauthorized();
  return principal{false, token.tenant, token.id, token.scopes};
}

authenticator::authenticator(const std::vector<secret>& operator_tokens, token_lookup lookup,
                             team_lookup teams)
    : lookup_(std::move(lookup)), teams_(std::move(teams)) {
  for (const auto& token : operator_tokens) operators_.push_back(sha256(token.reveal()));
}

bool authenticator::is_operator(std::string_view bearer) const noexcept {
  const auto digest = sha256(bearer);
  bool found = false;
  for (const auto& known : operators_) found |= equal_in_constant_time(bytes_of(known), bytes_of(digest));
  return found;
}

bool authenticator::from_operator(const request& r) const noexcept {
  const auto bearer = bearer_of(r);
  return bearer && is_operator(*bearer);
}

std::optional<result<principal>> authenticator::admit_now(const access& needed, const request& r) const {
  const auto bearer = bearer_of(r);
  if (!bearer) return unauthorized();
  if (is_operator(*bearer)) {
    if (for_teams(needed)) return std::nullopt;
    return authorize(needed, principal{.is_operator = true}, r);
  }
  if (!looks_like_tenant_token(*bearer)) return unauthorized();
  return std::nullopt;
}

asio::awaitable<result<principal>> authenticator::admit(const access& needed, const request& r) const {
  if (auto decided = admit_now(needed, r)) co_return std::move(*decided);
  if (for_teams(needed)) co_return co_await admit_team(needed, r);
  const auto token = co_await lookup_(to_hex(bytes_of(sha256(*bearer_of(r)))));
  if (!token) co_return token.error();
  auto caller = principal_of(*token, r.received_at);
  if (!caller) co_return caller.error();
  co_return authorize(needed, std::move(*caller), r);
}

asio::awaitable<result<principal>> authenticator::admit_team(const access& needed, const request& r) const {
  const auto bearer = *bearer_of(r);
  team_key named;
  if (is_operator(bearer)) {
    auto by_header = team_named_in(r);
    if (!by_header) co_return by_header.error();
    if (!*by_header && needed.kind == access_kind::credential) co_return principal{.is_operator = true};
    if (!*by_header) co_return error{errc::tenant_required};
    named = std::move(**by_header);
  } else {
    named.token_sha256 = to_hex(bytes_of(sha256(bearer)));
  }
  const auto found = co_await teams_(std::move(named));
  if (!found) co_return found.error();
  co_return authorize(needed, *found, r);
}

}  // namespace connectord::web

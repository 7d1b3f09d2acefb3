#pragma once

#include "base/crypto.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "domain/tenant.hpp"

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::web {

namespace asio = boost::asio;
class request;

/// Who calls, and for which tenant. An operator has every scope.
struct principal {
  bool is_operator = false;
  std::optional<tenant_id> tenant{};
  std::optional<token_id> token{};
  std::vector<std::string> scopes{};
  // On the tracker's paths only.
  std::optional<connectord::tenant> team{};
  std::string token_name{};
  std::string session_of{};  ///< the person whose dashboard session it is; empty for a call
  bool tracker_on = false;   ///< flag tracker_connectors of the team

  bool may(std::string_view scope) const noexcept;
};

enum class access_kind {
  public_,    ///< anybody
  operator_,  ///< "O": operator token only
  tenant,     ///< "O+T": operator token and X-Tenant-Id, or a tenant token with the scope
  proof,      ///< the route's admission hook decides
  team,       ///< tracker-api 1.2: a tenant token, or an operator token and X-Tenant-Id or X-Team-Slug
  credential  ///< the same, and an operator need not name a team
};

struct access {
  access_kind kind = access_kind::public_;
  std::string_view scope{};  ///< of `tenant` and `team`; empty means that any scope will do
  bool gated = false;        ///< of `team`: only while its flag tracker_connectors is on
};

inline constexpr access open_to_all{};
inline constexpr access operators_only{access_kind::operator_, {}};
inline constexpr access by_proof{access_kind::proof, {}};
constexpr access tenant_with(std::string_view scope) { return {access_kind::tenant, scope}; }
inline constexpr access any_tenant{access_kind::tenant, {}};
constexpr access team_with(std::string_view scope) { return {access_kind::team, scope}; }
constexpr access tracker_with(std::string_view scope) { return {access_kind::team, scope, true}; }
inline constexpr access any_credential{access_kind::credential, {}};

/// What a token may call its tenant, beside its id and slug.
std::string private_team_of(const token_id& token);

/// The credentials of `Authorization: Bearer …`, the scheme in any case; nothing for anything else.
std::optional<std::string_view> bearer_of(const request& r) noexcept;
/// `cdt_` and 43 URL-safe characters.
bool looks_like_tenant_token(std::string_view bearer) noexcept;
/// Missing, malformed or nil: VALIDATION_FAILED; several that differ: TENANT_SCOPE_MISMATCH.
result<tenant_id> tenant_header_of(const request& r);

/// Decides for a known caller, in the order of the contract: operator or scope first, tenant next.
result<principal> authorize(const access& needed, principal caller, const request& r);
/// The same on the tracker's paths, in their order: tenant, its suspension, scope, flag. Whatever a tenant
/// token's request calls its team must be that token's team, or one answer for all others.
result<principal> authorize(const access& needed, const team_standing& found, const request& r);
/// What an operator's request calls the team. VALIDATION_FAILED for an X-Tenant-Id that is no UUID.
result<std::optional<team_key>> team_named_in(const request& r);
/// UNAUTHORIZED once revoked or expired.
result<principal> principal_of(const tenant_token& token, timestamp now);

/// Hex SHA-256 of a token's text to its row; UNAUTHORIZED when there is none.
using token_lookup = std::function<asio::awaitable<result<tenant_token>>(std::string sha256_hex)>;

/// UNAUTHORIZED for a token that is unknown, TENANT_NOT_FOUND for an id or a slug.
using team_lookup = std::function<asio::awaitable<result<team_standing>>(team_key)>;

class authenticator {
 public:
  authenticator(const std::vector<secret>& operator_tokens, token_lookup lookup, team_lookup teams = {});

  /// Constant time: every configured token is compared, digest by digest.
  bool is_operator(std::string_view bearer) const noexcept;
  /// True when the request carries an operator's bearer; for routes with a proof of their own.
  bool from_operator(const request& r) const noexcept;

  asio::awaitable<result<principal>> admit(const access& needed, const request& r) const;
  /// The same without suspension, for all but tenant tokens; nothing when the store has to be asked.
  std::optional<result<principal>> admit_now(const access& needed, const request& r) const;

 private:
  asio::awaitable<result<principal>> admit_team(const access& needed, const request& r) const;

  std::vector<digest256> operators_;
  token_lookup lookup_;
  team_lookup teams_;
};

}  // namespace connectord::web

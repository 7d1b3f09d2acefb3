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

  bool may(std::string_view scope) const noexcept;
};

enum class access_kind {
  public_,    ///< anybody
  operator_,  ///< "O": operator token only
  tenant,     ///< "O+T": operator token and X-Tenant-Id, or a tenant token with the scope
  proof,      ///< the route's admission hook decides
};

struct access {
  access_kind kind = access_kind::public_;
  std::string_view scope{};  ///< of `tenant`; empty means that any scope will do
};

inline constexpr access open_to_all{};
inline constexpr access operators_only{access_kind::operator_, {}};
inline constexpr access by_proof{access_kind::proof, {}};
constexpr access tenant_with(std::string_view scope) { return {access_kind::tenant, scope}; }
inline constexpr access any_tenant{access_kind::tenant, {}};

/// The credentials of `Authorization: Bearer …`, the scheme in any case; nothing for anything else.
std::optional<std::string_view> bearer_of(const request& r) noexcept;
/// `cdt_` and 43 URL-safe characters.
bool looks_like_tenant_token(std::string_view bearer) noexcept;
/// Missing, malformed or nil: VALIDATION_FAILED; several that differ: TENANT_SCOPE_MISMATCH.
result<tenant_id> tenant_header_of(const request& r);

/// Decides for a known caller, in the order of the contract: operator or scope first, tenant next.
result<principal> authorize(const access& needed, principal caller, const request& r);
/// UNAUTHORIZED once revoked or expired.
result<principal> principal_of(const tenant_token& token, timestamp now);

/// Hex SHA-256 of a token's text to its row; UNAUTHORIZED when there is none.
using token_lookup = std::function<asio::awaitable<result<tenant_token>>(std::string sha256_hex)>;

class authenticator {
 public:
  authenticator(const std::vector<secret>& operator_tokens, token_lookup lookup);

  /// Constant time: every configured token is compared, digest by digest.
  bool is_operator(std::string_view bearer) const noexcept;
  /// True when the request carries an operator's bearer; for routes with a proof of their own.
  bool from_operator(const request& r) const noexcept;

  asio::awaitable<result<principal>> admit(const access& needed, const request& r) const;
  /// The same without suspension, for all but tenant tokens; nothing when the store has to be asked.
  std::optional<result<principal>> admit_now(const access& needed, const request& r) const;

 private:
  std::vector<digest256> operators_;
  token_lookup lookup_;
};

}  // namespace connectord::web

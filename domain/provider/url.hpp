#pragma once

#include "base/json.hpp"
#include "domain/provider/definition.hpp"

#include <optional>
#include <string>
#include <string_view>

/// Where a definition's calls go to.
namespace connectord::provider {

/// Facts of one account; before there is a connection, all but the client id are empty.
struct account_scope {
  std::string_view region;  ///< name of a region of the definition; empty: it has none
  std::string_view client_id;
  std::string_view external_id;
  const json::object* metadata = nullptr;
};

/// Roots of URL templates: `region.<name>`, `client_id`, `connection.external_id`, `metadata.<path>`.
/// VALIDATION_FAILED for a region that the definition does not know.
result<json::object> url_values(const definition& provider, const account_scope& account);

/// The region that the connection's metadata names (the member that the definition fills from
/// `region.name`), else `otherwise`.
std::string region_of(const definition& provider, const json::object& metadata, std::string_view otherwise);

/// Region whose table holds the host of that URL; nothing for a host that is not the definition's own.
std::optional<std::string> region_of_host(const definition& provider, std::string_view url);

/// The template with its lookups filled in, each percent-encoded, so that no value can add a segment
/// or a parameter. `origin`, when given, replaces scheme, host and port (POBLYSH_<P>_OAUTH_BASE for
/// authorize, token, revoke and key-set URLs, …_API_BASE for all others). VALIDATION_FAILED when a
/// lookup has no value, or one that would climb the path.
/// `data` is the JSON text behind `data:`; empty: there is none.
result<std::string> resolve_url(const text_template& url, const json::object& values, std::string_view data,
                                const std::optional<std::string>& origin);
result<std::string> resolve_url(std::string_view url, const json::object& values,
                                const std::optional<std::string>& origin);

/// The URL with these parameters behind those that it has.
std::string with_query(std::string url, const text_pairs& query);

/// "https://host:port", in lower case and without a default port; empty for what is no http(s) URL or
/// holds user information.
std::string origin_of(std::string_view url);

}  // namespace connectord::provider

#pragma once

#include "domain/provider/tracker_facts.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A provider is data: what its file says, checked and compiled. `verify` and `examine` interpret it.
namespace connectord::provider {

enum class auth_type : std::uint8_t { oauth2, webhook };

// ---- OAuth: loaded and checked here, interpreted by the OAuth engine

enum class client_auth : std::uint8_t { body, basic };
enum class token_encoding : std::uint8_t { form, json };
enum class refresh_use : std::uint8_t { reusable, single_use, single_use_when_given };

/// URLs are templates over `region.<name>` and `client_id`.
struct http_call {
  std::string name;  ///< root of its answer in the templates of `account_facts`
  std::string method, url;
  std::optional<std::string> body;  ///< JSON text
};

/// What the identity calls say about the account.
struct account_facts {
  std::vector<http_call> calls;  ///< none: the token answer itself, under the name `token`
  choice external_id, display_name;
  std::vector<std::pair<std::string, choice>> metadata;  ///< by dotted member name
};

/// How we say who asks for a revocation: with the token itself, or as the client.
enum class revoke_auth : std::uint8_t { body, basic, bearer };

/// RFC 7009, and what providers made of it.
struct revoke_call {
  std::string method, url;
  revoke_auth authentication = revoke_auth::body;
  token_encoding encoding = token_encoding::form;
  std::string parameter = "token";  ///< that names the token; unused with `bearer`
  bool refresh_token = true;        ///< the refresh token goes where there is one, else the access token
};

struct oauth_facts {
  std::string authorize_url, token_url;
  text_pairs authorize_params, token_headers;
  bool pkce = true;  ///< S256
  client_auth authentication = client_auth::body;
  token_encoding encoding = token_encoding::form;
  std::string token_scheme = "Bearer";  ///< of the access token in API calls
  std::optional<revoke_call> revoke;
  refresh_use refresh = refresh_use::reusable;
  std::optional<std::string> jwks_url;
  std::string issuer;  ///< `iss` of a callback has to be it (RFC 9207); empty: any
  account_facts account;

  /// Hosts that differ by region: region -> name -> host.
  std::map<std::string, std::map<std::string, std::string>> regions;
  std::string region_key;             ///< setting that names the region
  std::string region_callback_param;  ///< callback parameter whose host names it
};

// ---- Webhook proof

enum class proof_scheme : std::uint8_t { hmac, token, jwt_jwks };
enum class signature_encoding : std::uint8_t { hex, base64 };
struct signed_time {
  time_candidate time;
  seconds tolerance{300};  ///< both ways, the limit itself included
};

/// One way to prove a delivery. Fields of other schemes than its own are unused.
struct proof {
  proof_scheme scheme = proof_scheme::hmac;
  std::string variant;     ///< setting value that chooses it; empty: it fits any
  std::string key_prefix;  ///< only for secrets that start so; hmac: the rest is the base64 of the key

  std::string header;  ///< of the signature or token
  std::string prefix;  ///< hmac: required in front of the signature; token: authentication scheme

  signature_encoding encoding = signature_encoding::hex;
  bool several = false;  ///< the header lists signatures, separated by spaces
  /// What is signed: texts and the lookups `header:…` and `$body`, all as they came.
  std::vector<text_template::piece> content;
  std::optional<signed_time> timestamp;
};

// ---- Webhook content

struct identity_source {
  std::string kind;
  lookup from;
};

struct webhook_facts {
  /// Names of settings, without the common prefix; empty: there is none.
  std::string secret_key, variant_key, tolerance_key, audience_key, issuers_key, subject_email_key;
  std::string body_limit_kb_key;

  std::vector<proof> proofs;  ///< never empty; the first that fits variant and secret is used

  std::vector<identity_source> identities;           ///< of a delivery, best first
  std::vector<identity_source> metadata_identities;  ///< of a connection, besides its external id
  std::optional<lookup> connection_id;               ///< where the delivery names the connection itself

  choice delivery_id;  ///< none: digest of the body
  std::optional<event_case> challenge;

  bool body_required = true;              ///< an object is; false: the headers say it all
  std::optional<std::string> form_field;  ///< of a form body that wraps the JSON
  std::optional<lookup> envelope;         ///< base64 JSON inside the body, root `data:`
  std::optional<lookup> batch;            ///< array whose items are the events
  std::vector<event_case> events;         ///< the first that fits names the event type
  bool event_required = false;
  choice label;  ///< member `event` of the payload; none: `$event`
  std::vector<shape> shapes;
  std::vector<rule> rules;  ///< the first that fits decides; none: unmapped

  bool external_id_in_lower_case() const noexcept {
    for (const auto& candidate : identities)
      if (candidate.kind == "external_id" && candidate.from.filter == text_filter::lower) return true;
    return false;
  }
};

/// A setting that only one provider has; read and checked by the layer that reads settings.
struct setting_fact {
  std::string key, kind, default_value;  ///< key without the common prefix
  std::int64_t min = 0, max = std::numeric_limits<std::int64_t>::max();
  std::vector<std::string> values;
  std::string doc;
  bool secret = false;
};

/// What it says of a signal that it comes from here; both from 0 to 1.
struct scoring_facts {
  double novelty = 0.15, credibility = 0.1;
};

struct definition {
  std::string slug, version, display_name;
  auth_type auth = auth_type::oauth2;
  std::vector<std::string> default_scopes;
  std::string scope_separator = " ";
  std::optional<sync_facts> sync;
  std::optional<tracker_facts> tracker;
  scoring_facts scoring;
  bool local_only = false;              ///< registered in the relaxed profiles only
  bool required_in_production = false;  ///< needs its credentials even where providers are not listed
  std::vector<setting_fact> settings;
  std::optional<oauth_facts> oauth;
  bool webhooks = false;
  webhook_facts webhook;  ///< of no meaning without `webhooks`
  std::string digest;     ///< SHA-256 of the file, hex

  bool proven_by(proof_scheme scheme) const noexcept {
    for (const auto& p : webhook.proofs)
      if (p.scheme == scheme) return true;
    return false;
  }
};

}  // namespace connectord::provider

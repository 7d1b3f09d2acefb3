#include "config/provider_loader.hpp"

#include "base/crypto.hpp"
#include "base/embedded.hpp"
#include "config/provider_check.hpp"
#include "config/provider_expressions.hpp"
#include "config/sync_loader.hpp"
#include "config/tracker_loader.hpp"

#include <algorithm>
#include <map>

namespace connectord::config {
namespace {

using namespace provider;

constexpr names<auth_type> auth_types[]{{"oauth2", auth_type::oauth2}, {"webhook", auth_type::webhook}};
constexpr names<bool> pkce_modes[]{{"required", true}, {"off", false}};
constexpr names<client_auth> client_auths[]{{"body", client_auth::body}, {"basic", client_auth::basic}};
constexpr names<token_encoding> encodings[]{{"form", token_encoding::form}, {"json", token_encoding::json}};
constexpr names<revoke_auth> revoke_auths[]{
    {"body", revoke_auth::body}, {"basic", revoke_auth::basic}, {"bearer", revoke_auth::bearer}};
constexpr names<bool> revoked_tokens[]{{"refresh", true}, {"access", false}};
constexpr names<refresh_use> refresh_uses[]{{"reusable", refresh_use::reusable},
                                            {"single_use", refresh_use::single_use},
                                            {"single_use_when_given", refresh_use::single_use_when_given}};
constexpr names<std::string_view> methods[]{{"GET", "GET"}, {"POST", "POST"}, {"DELETE", "DELETE"}};
constexpr names<signature_encoding> signature_encodings[]{{"hex", signature_encoding::hex},
                                                          {"base64", signature_encoding::base64}};
enum class scheme_name { hmac, standard, token, jwt_jwks };
constexpr names<scheme_name> schemes[]{{"hmac", scheme_name::hmac},
                                       {"standard", scheme_name::standard},
                                       {"token", scheme_name::token},
                                       {"jwt_jwks", scheme_name::jwt_jwks}};

constexpr std::string_view slug_letters = "abcdefghijklmnopqrstuvwxyz0123456789-";

// ---- OAuth

bool is_https(std::string_view url) {
  return url.starts_with("https://") && url.size() > 8 && url.find_first_of(" #") == std::string_view::npos;
}

/// `key` is the field that holds the URL.
std::string read_url(yaml_map& in, const std::string& key) {
  const auto url = in.text(key);
  if (!url.empty() && !is_https(url)) in.refuse(*in.get(key), key, "must be an https URL without fragment");
  return url;
}

http_call read_call(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  http_call out;
  out.name = in.optional_text("name").value_or("");
  out.method = in.one_of<std::string_view>("method", methods, "GET");
  out.url = read_url(in, "url");
  out.body = in.optional_text("body");
  return out;
}

revoke_call read_revoke(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  revoke_call out;
  out.method = in.one_of<std::string_view>("method", methods, "POST");
  out.url = read_url(in, "url");
  out.authentication = in.one_of<revoke_auth>("auth", revoke_auths, revoke_auth::body);
  out.encoding = in.one_of<token_encoding>("encoding", encodings, token_encoding::form);
  out.parameter = in.optional_text("parameter").value_or(out.parameter);
  out.refresh_token = in.one_of<bool>("token", revoked_tokens, true);
  return out;
}

account_facts read_account(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  account_facts out;
  in.each("calls", [&](const YAML::Node& item, const std::string& at) {
    out.calls.push_back(read_call(item, at, problems));
    if (out.calls.back().name.empty()) problems.add(item, at, "needs a name");
  });
  in.required("external_id");
  out.external_id = read_choice(in, "external_id");
  out.display_name = read_choice(in, "display_name");
  out.metadata = read_choices(in, "metadata");
  return out;
}

void read_regions(yaml_map& in, oauth_facts& out) {
  in.each_member("regions", [&](const std::string& region, const YAML::Node& hosts) {
    if (!hosts.IsMap()) return in.refuse(hosts, "regions." + region, "must be a map");
    for (const auto& host : hosts) out.regions[region][host.first.Scalar()] = host.second.Scalar();
  });
  out.region_key = in.optional_text("region_key").value_or("");
  out.region_callback_param = in.optional_text("region_callback_param").value_or("");
  if (out.regions.empty() != out.region_key.empty())
    in.refuse(in.node(), "region_key", "goes together with regions");
}

oauth_facts read_oauth(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  oauth_facts out;
  out.authorize_url = read_url(in, "authorize_url");
  out.token_url = read_url(in, "token_url");
  out.authorize_params = in.pairs("authorize_params");
  out.token_headers = in.pairs("token_headers");
  out.pkce = in.one_of<bool>("pkce", pkce_modes, std::nullopt);
  out.authentication = in.one_of<client_auth>("client_auth", client_auths, client_auth::body);
  out.encoding = in.one_of<token_encoding>("encoding", encodings, token_encoding::form);
  out.token_scheme = in.optional_text("token_scheme").value_or(out.token_scheme);
  if (const auto revoke = in.get("revoke")) out.revoke = read_revoke(*revoke, in.path("revoke"), problems);
  out.refresh = in.one_of<refresh_use>("refresh", refresh_uses, std::nullopt);
  if (in.has("jwks_url")) out.jwks_url = read_url(in, "jwks_url");
  if (in.has("issuer")) out.issuer = read_url(in, "issuer");
  if (const auto account = in.required("account"))
    out.account = read_account(*account, in.path("account"), problems);
  read_regions(in, out);
  return out;
}

// ---- webhook proof

std::string read_header(yaml_map& in, const std::string& name) {
  const auto text = in.text(name);
  if (std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; }))
    in.refuse(*in.get(name), name, "must be in lower case");
  return text;
}

/// Only what is signed as it came: headers and the whole body.
std::vector<text_template::piece> read_content(const YAML::Node& node, const std::string& field,
                                               yaml_problems& problems) {
  auto content = read_template(node, field, problems).pieces;
  for (const auto& piece : content) {
    if (!piece.value) continue;
    const bool whole_body = piece.value->root == lookup_root::body && piece.value->steps.empty();
    if ((!whole_body && piece.value->root != lookup_root::header) || piece.value->filter != text_filter::none)
      problems.add(node, field, "may only look up headers and $body, without filters");
  }
  return content;
}

signed_time read_timestamp(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  signed_time out;
  if (const auto time = in.required("time")) out.time = read_time(*time, in.path("time"), problems);
  const auto tolerance = in.integer("tolerance_seconds", 0);
  if (tolerance < 1 || tolerance > 86400) in.refuse(node, "tolerance_seconds", "must be from 1 to 86400");
  out.tolerance = seconds{tolerance};
  return out;
}

void read_hmac(yaml_map& in, proof& out) {
  out.header = read_header(in, "header");
  out.prefix = in.optional_text("prefix").value_or("");
  out.encoding = in.one_of<signature_encoding>("encoding", signature_encodings, signature_encoding::hex);
  const auto content = in.get("signed");
  out.content = read_content(content ? *content : YAML::Node{"{$body}"}, in.path("signed"), in.problems());
  if (const auto time = in.get("timestamp"))
    out.timestamp = read_timestamp(*time, in.path("timestamp"), in.problems());
}

/// The Standard Webhooks scheme is an HMAC with everything settled.
void be_standard(proof& out) {
  out.key_prefix = "whsec_";
  out.header = "webhook-signature";
  out.prefix = "v1,";
  out.encoding = signature_encoding::base64;
  out.several = true;
  out.content = parse_template("{header:webhook-id}.{header:webhook-timestamp}.{$body}")->pieces;
  out.timestamp =
      signed_time{{time_format::epoch_s, *parse_lookup("header:webhook-timestamp")}, seconds{300}};
}

proof read_proof(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  proof out;
  const auto scheme = in.one_of<scheme_name>("scheme", schemes, std::nullopt);
  out.variant = in.optional_text("variant").value_or("");
  switch (scheme) {
    case scheme_name::hmac: read_hmac(in, out); break;
    case scheme_name::standard: be_standard(out); break;
    case scheme_name::token:
      out.scheme = proof_scheme::token;
      out.header = read_header(in, "header");
      out.prefix = in.optional_text("prefix").value_or("");
      break;
    case scheme_name::jwt_jwks:
      out.scheme = proof_scheme::jwt_jwks;
      out.header = "authorization";
      out.prefix = "bearer";
      break;
  }
  return out;
}

// ---- webhook content

std::vector<identity_source> read_identities(yaml_map& in, const std::string& name) {
  std::vector<identity_source> out;
  in.each(name, [&](const YAML::Node& item, const std::string& field) {
    yaml_map map{item, field, in.problems()};
    identity_source source{map.text("kind"), {}};
    if (const auto from = map.required("from"))
      source.from = read_lookup(*from, map.path("from"), in.problems(), true);
    out.push_back(std::move(source));
  });
  return out;
}

void read_content_rules(yaml_map& in, webhook_facts& out) {
  out.delivery_id = read_choice(in, "delivery_id");
  if (in.has("challenge")) {
    auto cases = read_cases(in, "challenge");
    if (cases.size() != 1 || cases.front().when.empty())
      in.refuse(in.node(), "challenge", "must be one case with a condition");
    else
      out.challenge = std::move(cases.front());
  }
  constexpr names<bool> bodies[]{{"object", true}, {"any", false}};
  out.body_required = in.one_of<bool>("body", bodies, true);
  out.form_field = in.optional_text("form_field");
  if (const auto at = in.get("envelope")) out.envelope = read_lookup(*at, in.path("envelope"), in.problems());
  if (const auto at = in.get("batch")) out.batch = read_lookup(*at, in.path("batch"), in.problems());
  out.events = read_cases(in, "event");
  out.event_required = in.flag("event_required", false);
  out.label = read_choice(in, "label");
  const auto shapes = read_shapes(in, out.shapes);
  out.rules = read_rules(in, shapes);
}

webhook_facts read_webhook(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  webhook_facts out;
  const std::pair<const char*, std::string*> keys[]{{"secret_key", &out.secret_key},
                                                    {"variant_key", &out.variant_key},
                                                    {"tolerance_key", &out.tolerance_key},
                                                    {"audience_key", &out.audience_key},
                                                    {"issuers_key", &out.issuers_key},
                                                    {"subject_email_key", &out.subject_email_key},
                                                    {"body_limit_kb_key", &out.body_limit_kb_key}};
  for (const auto& [name, value] : keys) *value = in.optional_text(name).value_or("");
  in.required("verify");
  in.each("verify", [&](const YAML::Node& item, const std::string& at) {
    out.proofs.push_back(read_proof(item, at, problems));
    const bool by_keys = out.proofs.back().scheme == proof_scheme::jwt_jwks;
    if (by_keys && (out.audience_key.empty() || out.issuers_key.empty()))
      problems.add(item, at, "needs audience_key and issuers_key");
    if (!by_keys && out.secret_key.empty()) problems.add(item, at, "needs secret_key");
  });
  if (in.has("verify") && out.proofs.empty()) in.refuse(node, "verify", "must name at least one scheme");
  out.identities = read_identities(in, "identity");
  out.metadata_identities = read_identities(in, "connection_identity");
  if (const auto at = in.get("connection_id"))
    out.connection_id = read_lookup(*at, in.path("connection_id"), problems);
  read_content_rules(in, out);
  return out;
}

// ---- the whole

void read_scopes(yaml_map& in, definition& out) {
  const auto scopes = in.get("scopes");
  if (!scopes) return;
  yaml_map map{*scopes, "scopes", in.problems()};
  out.default_scopes = map.texts("default");
  constexpr names<std::string_view> separators[]{{"space", " "}, {"comma", ","}};
  out.scope_separator = map.one_of<std::string_view>("separator", separators, " ");
}

setting_fact read_setting(const YAML::Node& node, const std::string& field, yaml_problems& problems) {
  yaml_map in{node, field, problems};
  setting_fact out;
  out.key = in.text("key");
  out.kind = in.text("kind");
  if (!out.kind.empty() && !setting_kind_of(out.kind)) in.refuse(node, "kind", "is not a kind of setting");
  out.default_value = in.optional_text("default").value_or("");
  out.min = in.integer("min", out.min);
  out.max = in.integer("max", out.max);
  out.values = in.texts("values");
  out.doc = in.text("doc");
  out.secret = in.flag("secret", false);
  return out;
}

scoring_facts read_scoring(const YAML::Node& node, yaml_problems& problems) {
  yaml_map in{node, "scoring", problems};
  scoring_facts out;
  out.novelty = in.share("novelty", out.novelty);
  out.credibility = in.share("credibility", out.credibility);
  return out;
}

definition read_definition(const YAML::Node& root, yaml_problems& problems) {
  yaml_map in{root, "", problems};
  definition out;
  out.slug = in.text("slug");
  if (out.slug.find_first_not_of(slug_letters) != std::string::npos || out.slug.size() > 64)
    in.refuse(*in.get("slug"), "slug", "must be 1 to 64 of a-z, 0-9 and -");
  out.version = in.text("version");
  out.display_name = in.text("display_name");
  out.auth = in.one_of<auth_type>("auth_type", auth_types, std::nullopt);
  read_scopes(in, out);
  if (const auto scoring = in.get("scoring")) out.scoring = read_scoring(*scoring, problems);
  out.local_only = in.flag("local_only", false);
  out.required_in_production = in.flag("required_in_production", false);
  in.each("settings", [&](const YAML::Node& item, const std::string& field) {
    out.settings.push_back(read_setting(item, field, problems));
  });
  if (const auto oauth = in.get("oauth")) out.oauth = read_oauth(*oauth, "oauth", problems);
  if (const auto webhook = in.get("webhook")) {
    out.webhooks = true;
    out.webhook = read_webhook(*webhook, "webhook", problems);
  }
  if (const auto sync = in.get("sync")) out.sync = read_sync(*sync, "sync", problems);
  if (const auto tracker = in.get("tracker")) {
    if (out.sync && out.webhooks)
      out.tracker = read_tracker(*tracker, "tracker", *out.sync, problems);
    else
      in.refuse(*tracker, "tracker", "needs webhook and sync");
  }
  if ((out.auth == auth_type::oauth2) != out.oauth.has_value())
    in.refuse(root, "oauth", "goes together with auth_type oauth2");
  if (out.sync && !out.oauth) in.refuse(root, "sync", "needs an oauth section");
  if (out.auth == auth_type::webhook && !out.webhooks)
    in.refuse(root, "webhook", "is required by auth_type webhook");
  if (out.proven_by(proof_scheme::jwt_jwks) && !(out.oauth && out.oauth->jwks_url))
    in.refuse(root, "oauth.jwks_url", "is required by scheme jwt_jwks");
  return out;
}

provider_setting own_setting(const setting_fact& from) {
  return {from.key,           setting_kind_of(from.kind).value_or(setting_kind::text),
          from.default_value, from.min,
          from.max,           from.values,
          from.doc,           from.secret};
}

}  // namespace

result<definition> load_provider(std::string_view yaml, std::string_view file_name) {
  yaml_problems problems{std::string{file_name}, {}};
  definition out;
  try {
    out = read_definition(YAML::Load(std::string{yaml}), problems);
  } catch (const YAML::Exception& e) {
    problems.text = problems.file + ":" + std::to_string(e.mark.line + 1) + ": " + e.msg;
  }
  if (!problems.text.empty()) return error{errc::validation_failed, std::move(problems.text)};
  out.digest = to_hex(bytes_of(sha256(yaml)));
  return out;
}

result<catalog> load_catalog(const std::optional<std::filesystem::path>& extra_folder, bool local_profile) {
  std::map<std::string, definition> by_slug;
  std::string problems;
  const auto add = [&](result<definition> loaded) {
    if (loaded) {
      auto slug = loaded->slug;
      by_slug.insert_or_assign(std::move(slug), std::move(*loaded));
    } else {
      (problems += problems.empty() ? "" : "\n") += loaded.error().message();
    }
  };
  for (const auto& file : embedded::providers()) add(load_provider(file.content, file.name));
  if (extra_folder) {
    std::error_code failure;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{*extra_folder, failure})
      if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    if (failure) return error{errc::validation_failed, extra_folder->string() + ": " + failure.message()};
    std::ranges::sort(files);
    for (const auto& file : files) {
      auto checked = check_provider(file);
      add(checked ? result<definition>{std::move(checked->definition)} : checked.error());
    }
  }
  if (!problems.empty()) return error{errc::validation_failed, std::move(problems)};
  std::vector<definition> all;
  for (auto& [slug, one] : by_slug)
    if (local_profile || !one.local_only) all.push_back(std::move(one));
  return catalog{std::move(all)};
}

std::vector<provider_facts> facts_of(const catalog& catalog) {
  std::vector<provider_facts> out;
  for (const auto& d : catalog.all()) {
    provider_facts facts{d.slug, d.oauth.has_value(), d.local_only, d.required_in_production, {}, {}};
    const auto& w = d.webhook;
    for (const auto* key : {&w.secret_key, &w.variant_key, &w.tolerance_key, &w.audience_key, &w.issuers_key,
                            &w.subject_email_key, &w.body_limit_kb_key})
      if (!key->empty()) facts.webhook_keys.push_back(*key);
    for (const auto& one : d.settings) facts.settings.push_back(own_setting(one));
    out.push_back(std::move(facts));
  }
  return out;
}

}  // namespace connectord::config

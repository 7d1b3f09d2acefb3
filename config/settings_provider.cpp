#include "config/rows.hpp"

#include <algorithm>

namespace connectord::config {
namespace {

/// Rows of the family `<P>_…`; each finds its provider by slug.
class family {
 public:
  explicit family(const provider_facts& provider) : slug_(provider.slug), part_(key_part(provider.slug)) {}

  const std::string& part() const { return part_; }

  template <class T, class Reader>
  auto into(T provider_settings::*member, Reader read) const {
    return reading([slug = slug_, member](settings& s) -> T& { return s.providers[slug].*member; }, read);
  }

  template <class Reader>
  setting override_row(std::string name, auto member, std::string expected, std::string doc,
                       Reader read) const {
    setting row{"RATE_LIMIT_OVERRIDE_" + part_ + "_" + name, "", std::move(expected), std::move(doc),
                into(member, read)};
    row.aliases = {"RATE_LIMIT_PROVIDER_OVERRIDE_" + part_ + "_" + name, "RATELIMIT_" + part_ + "_" + name};
    return row;
  }

 private:
  std::string slug_, part_;
};

std::optional<std::string> any_text(std::string_view text) { return std::string{text}; }
std::optional<secret> any_secret(std::string_view text) { return secret{std::string{text}}; }

std::optional<std::vector<std::string>> read_scopes(std::string_view text) {
  auto scopes = split(text, ", \t");
  if (scopes.empty()) return std::nullopt;
  return scopes;
}

std::optional<bool> read_pkce(std::string_view text) {
  if (text == "required") return true;
  if (text == "off") return false;
  return std::nullopt;
}

void add_oauth_rows(std::vector<setting>& rows, const family& f) {
  rows.push_back({f.part() + "_CLIENT_ID", "", "a client id", "OAuth client id; goes with its secret.",
                  f.into(&provider_settings::client_id, any_text)});
  rows.push_back({f.part() + "_CLIENT_SECRET", "", "a client secret",
                  "OAuth client secret; goes with its id.",
                  f.into(&provider_settings::client_secret, any_secret), "", true});
  rows.push_back({f.part() + "_SCOPES", "", "scopes separated by spaces or commas",
                  "OAuth scopes instead of those of the definition.",
                  f.into(&provider_settings::scopes, read_scopes)});
  rows.push_back({f.part() + "_PKCE", "", "one of required, off", "PKCE instead of what the definition says.",
                  f.into(&provider_settings::pkce, read_pkce)});
}

void add_base_row(std::vector<setting>& rows, const provider_facts& provider, std::string name,
                  std::string doc, std::optional<std::string> provider_settings::*member) {
  rows.push_back({key_part(provider.slug) + name, "",
                  "an https origin without path, query or userinfo (http only to loopback in local and test)",
                  std::move(doc), [slug = provider.slug, member](settings& s, std::string_view text) {
                    auto origin = parse_origin(text, s.relaxed());
                    if (!origin) return false;
                    s.providers[slug].*member = std::move(origin);
                    return true;
                  }});
}

void add_override_rows(std::vector<setting>& rows, const family& f) {
  constexpr std::int64_t max_base = 3600, max_max = 86400;
  rows.push_back(f.override_row(
      "BASE_SECONDS", &provider_settings::rate_limit_base_seconds, whole_range(1, max_base, " seconds"),
      "RATE_LIMIT_BASE_SECONDS of this provider.", whole_reader<seconds>(1, max_base)));
  rows.push_back(f.override_row(
      "MAX_SECONDS", &provider_settings::rate_limit_max_seconds, whole_range(1, max_max, " seconds"),
      "RATE_LIMIT_MAX_SECONDS of this provider.", whole_reader<seconds>(1, max_max)));
  rows.push_back(f.override_row("JITTER_FACTOR", &provider_settings::rate_limit_jitter_factor,
                                "a number from 0 to 1", "RATE_LIMIT_JITTER_FACTOR of this provider.",
                                number_reader(0, 1)));
}

std::string expectation(const provider_setting& own) {
  switch (own.kind) {
    case setting_kind::integer: return whole_range(own.min, own.max, "");
    case setting_kind::enumeration: return one_of(own.values);
    case setting_kind::list: return "a comma list";
    case setting_kind::host_list: return "a comma list of hosts, addresses and CIDR networks";
    case setting_kind::secret:
    case setting_kind::text: break;
  }
  return "a text that is not blank";
}

bool fits(const provider_setting& own, std::string_view text) {
  switch (own.kind) {
    case setting_kind::integer: return whole_reader<std::int64_t>(own.min, own.max)(text).has_value();
    case setting_kind::enumeration:
      return std::find(own.values.begin(), own.values.end(), text) != own.values.end();
    case setting_kind::list: return !split(text, ",").empty();
    case setting_kind::host_list: return parse_hosts(text).has_value() && !split(text, ",").empty();
    case setting_kind::secret:
    case setting_kind::text: break;
  }
  return !text.empty();
}

setting own_row(const provider_facts& provider, const provider_setting& own) {
  const bool hidden = own.secret || own.kind == setting_kind::secret;
  return {own.key,
          own.default_value,
          expectation(own),
          own.doc,
          [slug = provider.slug, own, hidden](settings& s, std::string_view text) {
            if (!fits(own, text)) return false;
            auto& target = s.providers[slug];
            if (hidden)
              target.secrets.insert_or_assign(own.key, secret{std::string{text}});
            else
              target.values.insert_or_assign(own.key, std::string{text});
            return true;
          },
          "",
          hidden};
}

}  // namespace

std::optional<setting_kind> setting_kind_of(std::string_view name) {
  static const std::map<std::string_view, setting_kind> kinds = {
      {"text", setting_kind::text},       {"secret", setting_kind::secret},
      {"integer", setting_kind::integer}, {"enumeration", setting_kind::enumeration},
      {"list", setting_kind::list},       {"host_list", setting_kind::host_list}};
  const auto found = kinds.find(name);
  if (found == kinds.end()) return std::nullopt;
  return found->second;
}

std::string key_part(std::string_view slug) {
  auto out = upper(slug);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}

std::vector<setting> settings_of(const provider_facts& provider) {
  std::vector<setting> rows;
  const family f{provider};
  if (provider.oauth) {
    add_oauth_rows(rows, f);
    add_base_row(rows, provider, "_OAUTH_BASE", "Origin of the authorize, token, revoke and key-set URLs.",
                 &provider_settings::oauth_base);
  }
  add_base_row(rows, provider, "_API_BASE", "Origin of the API URLs.", &provider_settings::api_base);
  add_override_rows(rows, f);
  for (const auto& own : provider.settings) rows.push_back(own_row(provider, own));
  for (const auto& key : provider.webhook_keys) {
    const auto same = [&key](const setting& row) { return row.key == key; };
    if (std::any_of(rows.begin(), rows.end(), same)) continue;
    provider_setting own;
    own.key = key;
    own.kind = setting_kind::secret;
    own.doc = "Proves webhook deliveries.";
    rows.push_back(own_row(provider, own));
  }
  return rows;
}

}  // namespace connectord::config

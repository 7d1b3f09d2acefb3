#include "config/settings.hpp"

#include "config/environment.hpp"
#include "config/settings_table.hpp"

#include <algorithm>
#include <set>

namespace connectord::config {
namespace {

constexpr std::size_t least_token_size = 16;  // outside local and test
constexpr std::size_t shown_value_size = 100;

std::string full(const std::string& key) { return "POBLYSH_" + key; }

/// A bad value as part of a problem. One that looks like a URL with a password is not repeated.
std::string shown(std::string_view value) {
  if (value.find("://") != std::string_view::npos && value.find('@') != std::string_view::npos) return "";
  std::string out{value.substr(0, shown_value_size)};
  for (auto& c : out) c = static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return ", got \"" + out + (value.size() > shown_value_size ? "…\"" : "\"");
}

/// One load, from texts to checked settings. Nothing stops at the first problem.
class loader {
 public:
  loader(gathered from, const std::vector<provider_facts>& providers)
      : given_(std::move(from.values)), problems_(std::move(from.problems)), providers_(providers) {}

  loaded run() {
    for (const auto& row : generic_settings()) apply(row);
    check_provider_list();
    for (const auto& provider : providers_) {
      const bool here = registered(provider);
      if (here) s_.providers[provider.slug];
      for (const auto& row : settings_of(provider)) here ? apply(row) : note_unregistered(row, provider);
    }
    if (s_.oauth_redirect_uri.empty())
      s_.oauth_redirect_uri = s_.public_base_url + "/connect/{provider}/callback";
    check_secrets();
    check_order();
    for (const auto& provider : providers_)
      if (provider.oauth && registered(provider)) check_credentials(provider);
    warn_of_unknown_keys();

    loaded out{std::nullopt, std::move(problems_), std::move(warnings_), std::move(report_)};
    if (out.problems.empty()) out.value = std::move(s_);
    return out;
  }

 private:
  bool has(const std::string& key) const { return given_.contains(key); }
  void problem(const std::string& key, const std::string& what) {
    problems_.push_back(full(key) + ": " + what);
  }

  /// The spelling of the row's key that is in use; nothing when none is.
  const std::pair<const std::string, given>* find(const setting& row) {
    const std::pair<const std::string, given>* out = nullptr;
    const auto consider = [&](const std::string& key) {
      known_.insert(key);
      const auto found = given_.find(key);
      if (found == given_.end()) return;
      if (out && out->second.text != found->second.text)
        problem(key,
                "differs from " + full(out->first) + ", which is another spelling of it; set one of the two");
      if (!out) out = &*found;
    };
    consider(row.key);
    for (const auto& alias : row.aliases) consider(alias);
    return out;
  }

  void apply(const setting& row) {
    const auto* set = find(row);
    const auto& fallback = row.fallback_for(s_.profile);
    bool ok = true;
    if (set) {
      const auto& text = set->second.text;
      ok = (row.may_be_empty || !text.empty()) && row.assign(s_, text);
      if (!ok)
        problem(set->first, "expected " + row.expected + (row.secret ? "" : shown(text)) + " (" +
                                set->second.source + ")");
    }
    // After a bad value the default serves the checks that compare settings.
    if ((!set || !ok) && !fallback.empty() && row.key != "PROFILE") row.assign(s_, fallback);
    if (!set && row.key == "PROFILE") row.assign(s_, fallback);
    note(row, set ? &set->second.text : nullptr, fallback);
  }

  void note(const setting& row, const std::string* text, const std::string& fallback) {
    if (!text && row.group.empty()) return;  // a provider's, and not used
    const auto& effective = text ? *text : fallback;
    report_.push_back({full(row.key), row.secret          ? (text ? "set" : "unset")
                                      : effective.empty() ? "unset"
                                                          : effective});
  }

  bool listed(const provider_facts& provider) const {
    return !s_.providers_listed || std::find(s_.providers_listed->begin(), s_.providers_listed->end(),
                                             provider.slug) != s_.providers_listed->end();
  }
  bool in_profile(const provider_facts& provider) const { return s_.relaxed() || !provider.local_only; }
  bool registered(const provider_facts& provider) const { return in_profile(provider) && listed(provider); }

  void check_provider_list() {
    if (!s_.providers_listed) return;
    std::vector<std::string> slugs;
    for (const auto& provider : providers_)
      if (in_profile(provider)) slugs.push_back(provider.slug);
    for (const auto& slug : *s_.providers_listed) {
      if (std::find(slugs.begin(), slugs.end(), slug) != slugs.end()) continue;
      const auto hint = closest(slug, slugs);
      problem("PROVIDERS", "no provider of profile " + s_.profile + shown(slug) +
                               (hint ? "; did you mean " + *hint + "?" : ""));
    }
  }

  void note_unregistered(const setting& row, const provider_facts& provider) {
    auto keys = row.aliases;
    keys.push_back(row.key);
    for (const auto& key : keys) foreign_.try_emplace(key, provider.slug);
  }

  void check_secrets() {
    if (!has("OPERATOR_TOKENS") && !has("OPERATOR_TOKEN"))
      problem("OPERATOR_TOKENS", "required, or POBLYSH_OPERATOR_TOKEN; expected a comma list of tokens");
    if (!has("CRYPTO_KEYS") && !has("CRYPTO_KEY"))
      problem("CRYPTO_KEY",
              "required, or POBLYSH_CRYPTO_KEYS; expected 32 bytes in base64 (openssl rand -base64 32)");
    if (s_.relaxed()) return;
    const auto is_short = [](const secret& token) { return token.reveal().size() < least_token_size; };
    if (std::any_of(s_.operator_tokens.begin(), s_.operator_tokens.end(), is_short))
      problem(has("OPERATOR_TOKENS") ? "OPERATOR_TOKENS" : "OPERATOR_TOKEN",
              "expected at least 16 characters for every token outside profiles local and test");
    if (!has("PUBLIC_BASE_URL"))
      problem("PUBLIC_BASE_URL", "required outside profiles local and test; expected an https URL");
  }

  void check_order() {
    if (s_.sync_scheduler_jitter_pct_min > s_.sync_scheduler_jitter_pct_max)
      problem("SYNC_SCHEDULER_JITTER_PCT_MIN", "expected at most POBLYSH_SYNC_SCHEDULER_JITTER_PCT_MAX");
    if (s_.sync_scheduler_default_interval_seconds > s_.sync_scheduler_max_overridden_interval_seconds)
      problem("SYNC_SCHEDULER_DEFAULT_INTERVAL_SECONDS",
              "expected at most POBLYSH_SYNC_SCHEDULER_MAX_OVERRIDDEN_INTERVAL_SECONDS");
    if (s_.rate_limit_base_seconds > s_.rate_limit_max_seconds)
      problem("RATE_LIMIT_BASE_SECONDS", "expected at most POBLYSH_RATE_LIMIT_MAX_SECONDS");
    if (s_.tracker.disconnected_after < s_.tracker.stale_after)
      problem("TRACKER_DISCONNECTED_AFTER_SECONDS", "expected at least POBLYSH_TRACKER_STALE_AFTER_SECONDS");
    for (const auto& [slug, own] : s_.providers) {
      if (!own.rate_limit_base_seconds && !own.rate_limit_max_seconds) continue;
      const auto part = "RATE_LIMIT_OVERRIDE_" + key_part(slug);
      if (own.rate_limit_base_seconds.value_or(s_.rate_limit_base_seconds) >
          own.rate_limit_max_seconds.value_or(s_.rate_limit_max_seconds))
        problem(part + "_BASE_SECONDS", "expected at most " + full(part) +
                                            "_MAX_SECONDS, or POBLYSH_RATE_LIMIT_MAX_SECONDS "
                                            "while that is unset (and likewise for the base)");
    }
  }

  void check_credentials(const provider_facts& provider) {
    const auto part = key_part(provider.slug);
    const auto id = part + "_CLIENT_ID", client_secret = part + "_CLIENT_SECRET";
    const bool wanted = !s_.relaxed() && (s_.providers_listed ? true : provider.required_in_production);
    if (has(id) == has(client_secret) && (has(id) || !wanted)) return;
    for (const auto& [key, other] : {std::pair{id, client_secret}, std::pair{client_secret, id}}) {
      if (has(key)) continue;
      problem(key, has(other)
                       ? "required beside " + full(other)
                       : "required for provider " + provider.slug + " outside profiles local and test");
    }
  }

  void warn_of_unknown_keys() {
    const std::vector<std::string> candidates{known_.begin(), known_.end()};
    for (const auto& [key, value] : given_) {
      if (known_.contains(key)) continue;
      if (const auto owner = foreign_.find(key); owner != foreign_.end()) {
        warnings_.push_back(full(key) + " is ignored: provider " + owner->second + " is not registered (" +
                            value.source + ")");
        continue;
      }
      const auto hint = closest(key, candidates);
      warnings_.push_back(full(key) + " is not a known setting (" + value.source + ")" +
                          (hint ? "; did you mean " + full(*hint) + "?" : ""));
    }
  }

  std::map<std::string, given> given_;
  std::vector<std::string> problems_, warnings_;
  std::vector<reported> report_;
  const std::vector<provider_facts>& providers_;
  settings s_;
  std::set<std::string> known_;
  std::map<std::string, std::string> foreign_;  ///< key to the provider that is not registered
};

}  // namespace

loaded load_settings(const environment& process, const std::map<std::string, std::string>& flags,
                     const std::filesystem::path& working_folder,
                     const std::vector<provider_facts>& providers) {
  return loader{gather(process, flags, working_folder), providers}.run();
}

std::string peek_setting(std::string_view key, const environment& process,
                         const std::map<std::string, std::string>& flags,
                         const std::filesystem::path& working_folder) {
  const auto from = gather(process, flags, working_folder);
  const auto found = from.values.find(std::string{key});
  return found == from.values.end() ? std::string{} : found->second.text;
}

std::vector<std::string> setting_keys(const std::vector<provider_facts>& providers) {
  std::vector<std::string> out;
  const auto add = [&out](const std::vector<setting>& rows) {
    for (const auto& row : rows) {
      out.push_back(row.key);
      out.insert(out.end(), row.aliases.begin(), row.aliases.end());
    }
  };
  add(generic_settings());
  for (const auto& provider : providers) add(settings_of(provider));
  return out;
}

}  // namespace connectord::config

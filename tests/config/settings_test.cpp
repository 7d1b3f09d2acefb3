#include "config/settings.hpp"

#include "config/settings_table.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>

using namespace connectord;
using namespace connectord::config;

namespace {

namespace fs = std::filesystem;

// bytes 0…31
constexpr auto key_text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
constexpr auto other_key_text = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";

class temporary_folder {
 public:
  temporary_folder() {
    std::string pattern = (fs::temp_directory_path() / "settings-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~temporary_folder() { fs::remove_all(path_); }
  const fs::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const { std::ofstream{path_ / name} << text; }

 private:
  fs::path path_;
};

provider_setting own(std::string key, setting_kind kind, std::string fallback = "") {
  provider_setting out;
  out.key = std::move(key);
  out.kind = kind;
  out.default_value = std::move(fallback);
  return out;
}

/// Made-up providers in the shapes of the contract's.
std::vector<provider_facts> some_providers() {
  auto tolerance = own("WEBHOOK_ACME_CHAT_TOLERANCE_SECONDS", setting_kind::integer, "300");
  tolerance.min = 1;
  tolerance.max = 86400;
  auto type = own("WEBHOOK_BUGS_SECRET_TYPE", setting_kind::enumeration, "bearer");
  type.values = {"bearer", "hmac"};
  return {{"acme-chat", true, false, false, {"WEBHOOK_ACME_CHAT_SIGNING_SECRET"}, {tolerance}},
          {"bugs", true, false, true, {"WEBHOOK_BUGS_SECRET", "WEBHOOK_BUGS_SECRET_TYPE"}, {type}},
          {"hooks-only", false, false, false, {"WEBHOOK_HOOKS_ONLY_TOKEN"}, {}},
          {"sample",
           true,
           true,
           false,
           {"WEBHOOK_SAMPLE_SECRET"},
           {own("SAMPLE_ISSUERS", setting_kind::list, "a,b")}}};
}

environment base_environment() {
  return {{"POBLYSH_PROFILE", "test"},
          {"POBLYSH_OPERATOR_TOKENS", "operator-token-one"},
          {"POBLYSH_CRYPTO_KEY", key_text}};
}

environment production() {
  auto out = base_environment();
  out["POBLYSH_PROFILE"] = "prod";
  out["POBLYSH_PUBLIC_BASE_URL"] = "https://connectors.test";
  out["POBLYSH_BUGS_CLIENT_ID"] = "id";
  out["POBLYSH_BUGS_CLIENT_SECRET"] = "client secret";
  return out;
}

loaded load(const environment& process, const std::map<std::string, std::string>& flags = {},
            const fs::path& folder = "/nonexistent") {
  return load_settings(process, flags, folder, some_providers());
}

loaded load_with(const std::map<std::string, std::string>& changes,
                 environment process = base_environment()) {
  for (const auto& [key, value] : changes) process["POBLYSH_" + key] = value;
  return load(process);
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

std::size_t problems_naming(const loaded& from, const std::string& key) {
  return static_cast<std::size_t>(
      std::count_if(from.problems.begin(), from.problems.end(),
                    [&](const std::string& p) { return p.starts_with("POBLYSH_" + key + ":"); }));
}

/// Exactly one problem, with this key, and with this text in it.
void refuses(const std::map<std::string, std::string>& changes, const std::string& key,
             const std::string& mention = "", environment process = base_environment()) {
  const auto got = load_with(changes, std::move(process));
  CAPTURE(joined(got.problems));
  CHECK_FALSE(got.value);
  CHECK(got.problems.size() == 1);
  CHECK(problems_naming(got, key) == 1);
  CHECK(joined(got.problems).find(mention) != std::string::npos);
}

settings accepts(const std::map<std::string, std::string>& changes,
                 environment process = base_environment()) {
  const auto got = load_with(changes, std::move(process));
  CAPTURE(joined(got.problems));
  REQUIRE(got.value);
  CHECK(joined(got.warnings) == "");
  return *got.value;
}

}  // namespace

TEST_CASE("the smallest configuration loads with the contract's defaults") {
  const auto s = accepts({{"PROFILE", "local"}});
  CHECK(s.relaxed());
  CHECK(s.api_bind_addr.host == "127.0.0.1");
  CHECK(s.api_bind_addr.port == 8080);
  CHECK(s.public_base_url == "http://localhost:8080");
  CHECK(s.oauth_redirect_uri == "http://localhost:8080/connect/{provider}/callback");
  CHECK(s.database_url.kind == database_location::engine::sqlite);
  CHECK(s.database_url.target == "data/connectors.db");
  CHECK(s.crypto_keys.primary_id() == "k1");
  CHECK(s.db_acquire_timeout_ms == milliseconds{5000});
  CHECK(s.webhook_dedupe_days == days{7});
  CHECK(s.sync_scheduler_jitter_pct_max == 0.2);
  CHECK(s.tenant_auto_provision);
  CHECK_FALSE(s.metrics_public);
  CHECK(s.cors_allowed_origins == std::vector<std::string>{"*"});
  CHECK(s.providers.size() == 4);
  CHECK(s.providers.at("sample").values.at("SAMPLE_ISSUERS") == "a,b");
  CHECK(accepts({}).api_bind_addr.host == "0.0.0.0");
}

TEST_CASE("every row's defaults satisfy the row itself") {
  for (const auto& row : generic_settings()) {
    CAPTURE(row.key);
    settings s;
    s.profile = "local";
    if (!row.fallback.empty()) CHECK(row.assign(s, row.fallback));
    for (const auto& [profile, text] : row.fallback_in) CHECK(row.assign(s, text));
    CHECK_FALSE(row.doc.empty());
    CHECK_FALSE(row.expected.empty());
  }
}

TEST_CASE("keys are unique over all rows and spellings") {
  auto keys = setting_keys(some_providers());
  std::sort(keys.begin(), keys.end());
  CHECK(std::adjacent_find(keys.begin(), keys.end()) == keys.end());
}

TEST_CASE("numbers are accepted at their bounds and refused beyond them") {
  struct bound {
    std::string key, below, least, most, above;
  };
  const bound bounds[] = {
      {"DB_MAX_CONNECTIONS", "0", "1", "200", "201"},
      {"DB_ACQUIRE_TIMEOUT_MS", "99", "100", "60000", "60001"},
      {"WEBHOOK_RATE_LIMIT_PER_MINUTE", "0", "1", "10000000", "10000001"},
      {"WEBHOOK_RATE_LIMIT_BURST_SIZE", "0", "1", "10000000", "10000001"},
      {"WEBHOOK_RATE_LIMIT_GLOBAL_PER_MINUTE", "0", "1", "10000000", "10000001"},
      {"WEBHOOK_MAX_BODY_BYTES", "1023", "1024", "26214400", "26214401"},
      {"MAX_BODY_BYTES", "1023", "1024", "26214400", "26214401"},
      {"WEBHOOK_DEDUPE_DAYS", "6", "7", "365", "366"},
      {"WEBHOOK_SECRET_OVERLAP_HOURS", "-1", "0", "720", "721"},
      {"WEBHOOK_ACME_CHAT_TOLERANCE_SECONDS", "0", "1", "86400", "86401"},
      {"HTTP_CLIENT_TIMEOUT_SECONDS", "0", "1", "300", "301"},
      {"HTTP_HEADER_TIMEOUT_SECONDS", "0", "1", "600", "601"},
      {"HTTP_BODY_TIMEOUT_SECONDS", "0", "1", "600", "601"},
      {"HTTP_IDLE_TIMEOUT_SECONDS", "0", "1", "600", "601"},
      {"SHUTDOWN_TIMEOUT_SECONDS", "0", "1", "600", "601"},
      {"OAUTH_STATE_TTL_SECONDS", "0", "1", "3600", "3601"},
      {"IDEMPOTENCY_TTL_HOURS", "0", "1", "168", "169"},
      {"SYNC_SCHEDULER_TICK_INTERVAL_SECONDS", "9", "10", "300", "301"},
      {"SYNC_SCHEDULER_DEFAULT_INTERVAL_SECONDS", "59", "60", "86400", "86401"},
      {"SYNC_SCHEDULER_MAX_OVERRIDDEN_INTERVAL_SECONDS", "59", "900", "604800", "604801"},
      {"SYNC_SCHEDULER_JITTER_PCT_MIN", "-0.1", "0", "0.2", "1.1"},
      {"SYNC_SCHEDULER_JITTER_PCT_MAX", "-0.1", "0", "1", "1.01"},
      {"SYNC_CONCURRENCY", "0", "1", "1024", "1025"},
      {"SYNC_TENANT_CONCURRENCY", "0", "1", "1024", "1025"},
      {"SYNC_LEASE_SECONDS", "1", "2", "3600", "3601"},
      {"SYNC_MAX_RUN_SECONDS", "4", "5", "3600", "3601"},
      {"SYNC_MAX_ITEMS_PER_RUN", "99", "100", "100000", "100001"},
      {"SYNC_MAX_ATTEMPTS", "0", "1", "100", "101"},
      {"SYNC_STALL_RUNS", "0", "1", "100", "101"},
      {"RATE_LIMIT_BASE_SECONDS", "0", "1", "900", "3601"},
      {"RATE_LIMIT_MAX_SECONDS", "0", "5", "86400", "86401"},
      {"RATE_LIMIT_JITTER_FACTOR", "-1", "0", "1", "1.5"},
      {"RATE_LIMIT_OVERRIDE_BUGS_BASE_SECONDS", "0", "1", "900", "3601"},
      {"RATELIMIT_ACME_CHAT_JITTER_FACTOR", "-1", "0", "1", "nan"},
      {"TOKEN_REFRESH_TICK_SECONDS", "59", "60", "1000000", "99999999999"},
      {"TOKEN_REFRESH_LEAD_TIME_SECONDS", "59", "60", "86400", "86401"},
      {"TOKEN_REFRESH_CONCURRENCY", "0", "1", "20", "21"},
      {"TOKEN_REFRESH_JITTER_FACTOR", "-1", "0", "1", "2"},
      {"MAIL_SPAM_THRESHOLD", "-0.1", "0", "1", "2"},
      {"RETENTION_DELIVERIES_DAYS", "6", "7", "3650", "3651"},
      {"RETENTION_JOBS_DAYS", "0", "1", "3650", "3651"},
      {"RETENTION_SIGNALS_DAYS", "-1", "0", "3650", "3651"},
  };
  for (const auto& b : bounds) {
    CAPTURE(b.key);
    accepts({{b.key, b.least}});
    accepts({{b.key, " " + b.most + " "}});
    for (const auto& bad : {b.below, b.above, std::string{"abc"}, std::string{"1x"}, std::string{}})
      refuses({{b.key, bad}}, b.key, "expected a");
  }
}

TEST_CASE("texts of every other kind are accepted in the contract's forms and refused in others") {
  struct sample {
    std::string key;
    std::vector<std::string> good, bad;
  };
  const sample samples[] = {
      {"API_BIND_ADDR",
       {"0.0.0.0:0", "[::1]:65535"},
       {"not-an-addr", "1.2.3.4", "::1:80", "1.2.3.4:65536", "1.2.3.4:", "localhost:80"}},
      {"PUBLIC_BASE_URL",
       {"https://a.test", "https://a.test/x/", "http://127.0.0.1:1"},
       {"a.test", "http://a.test", "https://u@a.test", "https://a.test?x", "https://", "ftp://a.test"}},
      {"OAUTH_REDIRECT_URI",
       {"https://a.test/{provider}/cb?x=1"},
       {"/cb", "https://a.test/#f", "http://a.test/"}},
      {"DATABASE_URL",
       {"sqlite:///a/b.db", "sqlite://b.db", "postgresql://u:p@h/db"},
       {"mysql://x", "sqlite://", "sqlite://:memory:", "postgresql://", "b.db"}},
      {"LOG_LEVEL", {"trace", "error"}, {"INFO", "fatal"}},
      {"LOG_FORMAT", {"json", "pretty"}, {"xml"}},
      {"METRICS_PUBLIC", {"true", "false"}, {"1", "yes", "TRUE", ""}},
      {"CORS_ALLOWED_ORIGINS",
       {"*", "", "https://a.test, http://localhost:3000"},
       {"a.test", "https://a.test/", "*,https://a.test"}},
      {"TRUSTED_PROXIES",
       {"", "10.0.0.0/8,fd00::/8", "192.0.2.1"},
       {"10.0.0.0/33", "proxy.test", "10.1.2.3/8"}},
      {"OUTBOUND_ALLOW", {"", "internal.test,10.0.0.0/8"}, {"https://a.test", "300.1.1.1", "a b"}},
      {"MAIL_SPAM_DENYLIST", {"", "me@a.test,@b.test,c.test"}, {"me@", "a b@c.test", "@", "a@b@c.test"}},
      {"ACME_CHAT_API_BASE",
       {"https://a.test", "http://localhost:1", "http://[::1]:1"},
       {"http://api.test", "https://a.test/x", "https://a.test?q", "https://u:p@a.test", ""}},
      {"ACME_CHAT_OAUTH_BASE", {"https://a.test:8443/"}, {"a.test", "https://a.test:99999"}},
      {"ACME_CHAT_PKCE", {"required", "off"}, {"on", ""}},
      {"ACME_CHAT_SCOPES", {"a b,c"}, {"", " , "}},
      {"PROVIDERS", {"acme-chat, bugs,hooks-only,sample"}, {"", ","}},
      {"WEBHOOK_BUGS_SECRET_TYPE", {"bearer", "hmac"}, {"basic", ""}},
      {"WEBHOOK_HOOKS_ONLY_TOKEN", {"t"}, {"", "  "}},
      {"SAMPLE_ISSUERS", {"x", "x, y"}, {","}},
      {"CRYPTO_KEYS",
       {std::string{"a:"} + key_text, std::string{"a:"} + key_text + ", b:" + other_key_text},
       {"", key_text, "a:AQID", std::string{"A:"} + key_text, std::string{"a:"} + key_text + ",a:" + key_text,
        std::string{"a2345678901234567:"} + key_text}},
      {"CRYPTO_KEY", {key_text}, {"", "AQID", "!not base64!"}},
      {"OPERATOR_TOKENS", {"a, b"}, {"", " , "}},
  };
  for (const auto& sample : samples) {
    for (const auto& good : sample.good) {
      CAPTURE(sample.key + "=" + good);
      accepts({{sample.key, good}});
    }
    for (const auto& bad : sample.bad) {
      CAPTURE(sample.key + "=" + bad);
      refuses({{sample.key, bad}}, sample.key, "expected ");
    }
  }
}

TEST_CASE("values arrive parsed in their members") {
  const auto s = accepts({{"API_BIND_ADDR", "[::1]:7"},
                          {"PUBLIC_BASE_URL", "https://a.test/x/"},
                          {"TRUSTED_PROXIES", "10.0.0.0/8"},
                          {"OUTBOUND_ALLOW", "Internal.test,fd00::/8"},
                          {"MAIL_SPAM_ALLOWLIST", "Me@A.test, b.test, @c.test"},
                          {"ACME_CHAT_SCOPES", "one two,three"},
                          {"ACME_CHAT_PKCE", "off"},
                          {"ACME_CHAT_CLIENT_ID", "id"},
                          {"ACME_CHAT_CLIENT_SECRET", "cs"},
                          {"ACME_CHAT_API_BASE", "https://A.test/"},
                          {"WEBHOOK_BUGS_SECRET", "ws"},
                          {"RATELIMIT_BUGS_BASE_SECONDS", "7"},
                          {"LOG_LEVEL", "warn"}});
  CHECK(s.api_bind_addr.host == "::1");
  CHECK(s.public_base_url == "https://a.test/x");
  CHECK(s.oauth_redirect_uri == "https://a.test/x/connect/{provider}/callback");
  REQUIRE(s.trusted_proxies.size() == 1);
  CHECK(s.trusted_proxies[0].contains(*parse_ip("10.9.8.7")));
  CHECK_FALSE(s.trusted_proxies[0].contains(*parse_ip("11.0.0.0")));
  CHECK(s.outbound_allow.hosts == std::vector<std::string>{"internal.test"});
  CHECK(s.outbound_allow.networks.size() == 1);
  CHECK(s.mail_spam_allowlist == std::vector<std::string>{"me@a.test", "@b.test", "@c.test"});
  CHECK(s.log_level == log::level::warn);

  const auto& chat = s.providers.at("acme-chat");
  CHECK(chat.configured());
  CHECK(chat.client_secret.reveal() == "cs");
  CHECK(chat.scopes == std::vector<std::string>{"one", "two", "three"});
  CHECK(chat.pkce == false);
  CHECK(chat.api_base == "https://a.test");
  CHECK_FALSE(chat.oauth_base);
  CHECK(chat.values.at("WEBHOOK_ACME_CHAT_TOLERANCE_SECONDS") == "300");

  const auto& bugs = s.providers.at("bugs");
  CHECK_FALSE(bugs.configured());
  CHECK(bugs.secrets.at("WEBHOOK_BUGS_SECRET").reveal() == "ws");
  CHECK(bugs.values.at("WEBHOOK_BUGS_SECRET_TYPE") == "bearer");
  CHECK(bugs.rate_limit_base_seconds == seconds{7});
}

TEST_CASE("the key ring keeps the order of CRYPTO_KEYS and CRYPTO_KEY comes last") {
  const auto ring = accepts({{"CRYPTO_KEYS", std::string{"new:"} + other_key_text}}).crypto_keys;
  REQUIRE(ring.keys().size() == 2);
  CHECK(ring.primary_id() == "new");
  CHECK(ring.keys()[1].id == "k1");

  const auto listed = accepts({{"CRYPTO_KEYS", std::string{"k1:"} + other_key_text}}).crypto_keys;
  REQUIRE(listed.keys().size() == 1);
  CHECK(to_base64(listed.keys()[0].bytes.reveal()) == other_key_text);
}

TEST_CASE("OPERATOR_TOKEN counts only while OPERATOR_TOKENS is unset") {
  CHECK(accepts({{"OPERATOR_TOKENS", "a, b"}, {"OPERATOR_TOKEN", "c"}}).operator_tokens.size() == 2);
  auto process = base_environment();
  process.erase("POBLYSH_OPERATOR_TOKENS");
  CHECK(accepts({{"OPERATOR_TOKEN", "c"}}, process).operator_tokens.at(0).reveal() == "c");
  refuses({}, "OPERATOR_TOKENS", "POBLYSH_OPERATOR_TOKEN;", process);
  refuses({{"OPERATOR_TOKENS", ","}, {"OPERATOR_TOKEN", "c"}}, "OPERATOR_TOKENS");
}

TEST_CASE("settings are compared with each other") {
  refuses({{"SYNC_SCHEDULER_JITTER_PCT_MIN", "0.3"}, {"SYNC_SCHEDULER_JITTER_PCT_MAX", "0.1"}},
          "SYNC_SCHEDULER_JITTER_PCT_MIN");
  refuses({{"RATE_LIMIT_BASE_SECONDS", "50"}, {"RATE_LIMIT_MAX_SECONDS", "10"}}, "RATE_LIMIT_BASE_SECONDS");
  refuses({{"SYNC_SCHEDULER_MAX_OVERRIDDEN_INTERVAL_SECONDS", "899"}},
          "SYNC_SCHEDULER_DEFAULT_INTERVAL_SECONDS");
  refuses({{"RATE_LIMIT_OVERRIDE_BUGS_MAX_SECONDS", "4"}}, "RATE_LIMIT_OVERRIDE_BUGS_BASE_SECONDS");
}

TEST_CASE("spellings of one override may repeat each other but not differ") {
  const auto s =
      accepts({{"RATE_LIMIT_OVERRIDE_BUGS_BASE_SECONDS", "3"}, {"RATELIMIT_BUGS_BASE_SECONDS", "3"}});
  CHECK(s.providers.at("bugs").rate_limit_base_seconds == seconds{3});
  refuses({{"RATE_LIMIT_PROVIDER_OVERRIDE_BUGS_BASE_SECONDS", "3"}, {"RATELIMIT_BUGS_BASE_SECONDS", "4"}},
          "RATELIMIT_BUGS_BASE_SECONDS", "POBLYSH_RATE_LIMIT_PROVIDER_OVERRIDE_BUGS_BASE_SECONDS");
}

TEST_CASE("credentials come in pairs") {
  refuses({{"ACME_CHAT_CLIENT_ID", "id"}}, "ACME_CHAT_CLIENT_SECRET");
  refuses({{"ACME_CHAT_CLIENT_SECRET", "cs"}}, "ACME_CHAT_CLIENT_ID");
}

TEST_CASE("outside local and test the strict rules hold") {
  accepts({}, production());
  refuses({{"OPERATOR_TOKENS", "operator-token-one,short"}}, "OPERATOR_TOKENS", "16", production());
  refuses({{"PUBLIC_BASE_URL", "http://localhost"}}, "PUBLIC_BASE_URL", "https", production());
  refuses({{"BUGS_API_BASE", "http://localhost:1"}}, "BUGS_API_BASE", "https", production());
  auto process = production();
  process.erase("POBLYSH_PUBLIC_BASE_URL");
  refuses({}, "PUBLIC_BASE_URL", "required", process);
}

TEST_CASE("outside local and test credentials are required, of listed providers when there is a list") {
  auto process = production();
  process.erase("POBLYSH_BUGS_CLIENT_ID");
  process.erase("POBLYSH_BUGS_CLIENT_SECRET");
  const auto none = load(process);
  CHECK(none.problems.size() == 2);
  CHECK(problems_naming(none, "BUGS_CLIENT_ID") == 1);
  CHECK(problems_naming(none, "BUGS_CLIENT_SECRET") == 1);

  CHECK(accepts({{"PROVIDERS", "hooks-only"}}, process).providers.size() == 1);
  const auto listed = load_with({{"PROVIDERS", "acme-chat,hooks-only"}}, process);
  CHECK(listed.problems.size() == 2);
  CHECK(problems_naming(listed, "ACME_CHAT_CLIENT_ID") == 1);
}

TEST_CASE("providers that are not registered are refused in the list and ignored elsewhere") {
  refuses({{"PROVIDERS", "bugz"}}, "PROVIDERS", "did you mean bugs?");
  refuses({{"PROVIDERS", "sample,hooks-only"}}, "PROVIDERS", "sample", production());
  const auto got = load_with({{"WEBHOOK_SAMPLE_SECRET", "x"}, {"SAMPLE_API_BASE", "nonsense"}}, production());
  REQUIRE(got.value);
  CHECK_FALSE(got.value->providers.contains("sample"));
  CHECK(got.warnings.size() == 2);
  CHECK(joined(got.warnings).find("POBLYSH_WEBHOOK_SAMPLE_SECRET is ignored: provider sample") !=
        std::string::npos);
}

TEST_CASE("unknown keys are warnings with a guess at what was meant") {
  const auto got = load_with({{"LOG_LEVLE", "debug"}, {"SOMETHING_ELSE_ENTIRELY", "1"}});
  REQUIRE(got.value);
  REQUIRE(got.warnings.size() == 2);
  CHECK(got.warnings[0].find("POBLYSH_LOG_LEVLE") != std::string::npos);
  CHECK(got.warnings[0].find("did you mean POBLYSH_LOG_LEVEL?") != std::string::npos);
  CHECK(got.warnings[1].find("did you mean") == std::string::npos);
}

TEST_CASE("all problems come at once, with bad values repeated unless they are secret") {
  const auto got = load_with({{"API_BIND_ADDR", "nope"},
                              {"CRYPTO_KEY", "AQIDsecret"},
                              {"SYNC_STALL_RUNS", "0"},
                              {"DATABASE_URL", "mysql://user:hunter2@x"},
                              {"PUBLIC_BASE_URL", "http://me:hunter2@a.test"},
                              {"CRYPTO_KEYS", "hunter2"},
                              {"PROFILE", "prod"},
                              {"OPERATOR_TOKENS", "hunter2"}});
  const auto text = joined(got.problems);
  for (const auto* key : {"API_BIND_ADDR", "CRYPTO_KEY", "CRYPTO_KEYS", "SYNC_STALL_RUNS", "DATABASE_URL",
                          "PUBLIC_BASE_URL", "OPERATOR_TOKENS", "BUGS_CLIENT_ID"})
    CHECK_MESSAGE(problems_naming(got, key) == 1, key);
  CHECK(text.find("got \"nope\" (environment)") != std::string::npos);
  CHECK(text.find("expected an integer from 1 to 100, got \"0\"") != std::string::npos);
  CHECK(text.find("AQIDsecret") == std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);
}

TEST_CASE("the start-up report names secrets only as set or unset") {
  const auto got = load_with({{"WEBHOOK_BUGS_SECRET", "hunter2"}, {"SIGNAL_WEBHOOK_TOKEN", "hunter2"}});
  REQUIRE(got.value);
  std::map<std::string, std::string> states;
  for (const auto& line : got.report) {
    CHECK(line.state.find("hunter2") == std::string::npos);
    states[line.key] = line.state;
  }
  CHECK(states.at("POBLYSH_WEBHOOK_BUGS_SECRET") == "set");
  CHECK(states.at("POBLYSH_OPERATOR_TOKENS") == "set");
  CHECK(states.at("POBLYSH_CRYPTO_KEYS") == "unset");
  CHECK(states.at("POBLYSH_LOG_LEVEL") == "info");
  CHECK(states.at("POBLYSH_PROVIDERS_DIR") == "unset");
  CHECK(states.at("POBLYSH_PUBLIC_BASE_URL") == "http://localhost:8080");
}

TEST_CASE("later sources win: YAML file, environment files, environment, flags") {
  const temporary_folder folder;
  const std::pair<std::string, std::string> files[] = {
      {"base.yaml", "log_level: trace\nsync_concurrency: 1\nproviders: [bugs, hooks-only]\n"},
      {".env", "POBLYSH_CONFIG_FILE=base.yaml\nPOBLYSH_SYNC_CONCURRENCY=2\nOTHER=1\n"},
      {".env.local", "export POBLYSH_SYNC_CONCURRENCY = 3\n"},
      {".env.test", "# a comment\nPOBLYSH_SYNC_CONCURRENCY=\"4\"  # four\nPOBLYSH_PROFILE=prod\n"},
      {".env.test.local", "POBLYSH_SYNC_CONCURRENCY='5'\n"},
  };
  auto process = base_environment();
  int expected = 0;
  for (const auto& [name, text] : files) {
    folder.write(name, text);
    if (expected++ == 0) continue;  // the YAML file counts once `.env` names it
    const auto got = load(process, {}, folder.path());
    CAPTURE(joined(got.problems));
    REQUIRE(got.value);
    CHECK(got.value->sync_concurrency == expected);
    CHECK(got.value->log_level == log::level::trace);
    CHECK(got.value->profile == "test");
    CHECK(got.value->providers.size() == 2);
  }
  process["POBLYSH_SYNC_CONCURRENCY"] = "6";
  CHECK(load(process, {}, folder.path()).value->sync_concurrency == 6);
  CHECK(load(process, {{"SYNC_CONCURRENCY", "7"}}, folder.path()).value->sync_concurrency == 7);
  CHECK(peek_setting("CONFIG_FILE", process, {}, folder.path()) == "base.yaml");
}

TEST_CASE("the first two environment files may choose the profile") {
  const temporary_folder folder;
  folder.write(".env", "POBLYSH_PROFILE=test\n");
  folder.write(".env.test", "POBLYSH_SYNC_CONCURRENCY=9\n");
  auto process = base_environment();
  process.erase("POBLYSH_PROFILE");
  const auto got = load(process, {}, folder.path());
  REQUIRE(got.value);
  CHECK(got.value->profile == "test");
  CHECK(got.value->sync_concurrency == 9);
}

TEST_CASE("a profile that is no profile names no file") {
  const temporary_folder folder;
  auto process = base_environment();
  process["POBLYSH_PROFILE"] = "../x";
  const auto got = load(process, {}, folder.path());
  CHECK(problems_naming(got, "PROFILE") == 1);
}

TEST_CASE("unreadable sources are problems that show no values") {
  const temporary_folder folder;
  folder.write(".env", "POBLYSH_SIGNAL_WEBHOOK_TOKEN='hunter2\nPOBLYSH_hunter2\n");
  folder.write("broken.yaml", "a: [hunter2\n");
  auto process = base_environment();
  process["POBLYSH_CONFIG_FILE"] = "broken.yaml";
  const auto got = load(process, {}, folder.path());
  const auto text = joined(got.problems);
  CAPTURE(text);
  CHECK(got.problems.size() == 3);
  CHECK(problems_naming(got, "SIGNAL_WEBHOOK_TOKEN") == 1);
  CHECK(problems_naming(got, "CONFIG_FILE") == 1);
  CHECK(text.find(".env line 1") != std::string::npos);
  CHECK(text.find("hunter2") == std::string::npos);

  process["POBLYSH_CONFIG_FILE"] = "missing.yaml";
  CHECK(problems_naming(load(process, {}, folder.path()), "CONFIG_FILE") == 1);
}

TEST_CASE("docs/configuration.md is what the table says (UPDATE_DOCS=1 rewrites it)") {
  const auto path = fs::path{SOURCE_DIR} / "docs" / "configuration.md";
  const auto reference = settings_reference();
  if (std::getenv("UPDATE_DOCS")) std::ofstream{path} << reference;
  std::ifstream in{path};
  const std::string stored{std::istreambuf_iterator<char>{in}, {}};
  CHECK(stored == reference);
}

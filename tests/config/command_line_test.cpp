#include "config/command_line.hpp"

#include "config/settings.hpp"

#include <doctest/doctest.h>

using namespace connectord::config;

namespace {

using kind = command::kind;

command parse(std::vector<std::string_view> args) {
  auto out = parse_command_line(args);
  refuse_unknown_flags(out, setting_keys({}));
  return out;
}

}  // namespace

TEST_CASE("each subcommand is known and serve is the default") {
  CHECK(parse({}).what == kind::serve);
  CHECK(parse({"serve"}).what == kind::serve);
  CHECK(parse({"migrate", "up"}).what == kind::migrate_up);
  CHECK(parse({"migrate", "status"}).what == kind::migrate_status);
  CHECK(parse({"check-config"}).what == kind::check_config);
  CHECK(parse({"keys", "rotate"}).what == kind::keys_rotate);
  CHECK(parse({"providers", "check", "my acme.yaml"}).what == kind::providers_check);
  CHECK(parse({"providers", "check", "my acme.yaml"}).file == "my acme.yaml");
  CHECK(parse({"providers", "accept", "acme.yaml"}).what == kind::providers_accept);
  CHECK(parse({"version"}).what == kind::version);
  CHECK(parse({"openapi"}).what == kind::openapi);
  CHECK(parse({"serve", "--help"}).what == kind::help);
}

TEST_CASE("flags stand before, between and behind the words, with their value joined or apart") {
  const auto got = parse(
      {"--log-level=debug", "migrate", "--api-bind-addr", "127.0.0.1:0", "up", "--cors-allowed-origins="});
  CHECK(got.what == kind::migrate_up);
  CHECK(got.flags == std::map<std::string, std::string>{{"LOG_LEVEL", "debug"},
                                                        {"API_BIND_ADDR", "127.0.0.1:0"},
                                                        {"CORS_ALLOWED_ORIGINS", ""}});
  CHECK(parse({"--sync-stall-runs", "-5"}).flags.at("SYNC_STALL_RUNS") == "-5");
}

TEST_CASE("unknown commands and flags are usage errors with a guess at what was meant") {
  const auto refused = [](std::vector<std::string_view> args, const std::string& mention) {
    const auto got = parse(std::move(args));
    CAPTURE(got.error);
    CHECK(got.what == kind::usage_error);
    CHECK(got.error.find(mention) != std::string::npos);
  };
  refused({"dance"}, "unknown command dance");
  refused({"migrate"}, "unknown command migrate");
  refused({"migrate", "down"}, "unknown command migrate down");
  refused({"serv"}, "did you mean serve?");
  refused({"serve", "now"}, "unknown command serve now");
  refused({"providers", "check"}, "providers check needs a file");
  refused({"providers", "check", "a.yaml", "b.yaml"}, "unknown command providers check a.yaml b.yaml");
  refused({"--log-levle", "debug"}, "did you mean --log-level?");
  refused({"version", "--bogus", "1"}, "unknown flag --bogus");
  refused({"--log_level=debug"}, "unknown flag --log_level");
  refused({"-x"}, "unknown flag -x");
  refused({"--"}, "unknown flag --");
  refused({"--log-level"}, "needs a value");
}

TEST_CASE("every setting has a flag") {
  const auto keys = setting_keys({});
  CHECK(keys.size() > 60);
  for (const auto& key : keys) {
    std::string flag = "--";
    for (const char c : key) flag += c == '_' ? '-' : static_cast<char>(c - 'A' + 'a');
    CAPTURE(flag);
    CHECK(parse({flag, "x"}).flags == std::map<std::string, std::string>{{key, "x"}});
  }
}

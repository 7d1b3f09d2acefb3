#include "config/command_line.hpp"

#include "config/parse.hpp"

#include <algorithm>

namespace connectord::config {
namespace {

using kind = command::kind;

struct subcommand {
  std::string_view words;
  kind what;
  bool takes_file = false;
};

constexpr subcommand subcommands[] = {
    {"serve", kind::serve},
    {"migrate up", kind::migrate_up},
    {"migrate status", kind::migrate_status},
    {"check-config", kind::check_config},
    {"keys rotate", kind::keys_rotate},
    {"providers check", kind::providers_check, true},
    {"providers accept", kind::providers_accept, true},
    {"version", kind::version},
    {"openapi", kind::openapi},
};

std::string key_of(std::string_view flag) {
  auto key = upper(flag);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

std::string flag_of(std::string_view key) {
  auto flag = lower(key);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return "--" + flag;
}

command usage_error(std::string text) {
  command out;
  out.what = kind::usage_error;
  out.error = std::move(text);
  return out;
}

std::string joined(std::span<const std::string_view> words) {
  std::string out;
  for (const auto word : words) (out += out.empty() ? "" : " ") += word;
  return out;
}

std::string suggestion(std::string_view text, const std::vector<std::string>& candidates) {
  const auto hint = closest(text, candidates);
  return hint ? "; did you mean " + *hint + "?" : "";
}

}  // namespace

command parse_command_line(std::span<const std::string_view> args) {
  command out;
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto arg = args[i];
    if (arg == "--help" || arg == "-h") {
      out.what = kind::help;
      return out;
    }
    if (!arg.starts_with('-')) {
      words.push_back(arg);
      continue;
    }
    const auto equals = arg.find('=');
    const auto name = arg.substr(0, equals);
    if (!name.starts_with("--") || name.size() == 2 || name.find('_') != std::string_view::npos ||
        name != lower(name))
      return usage_error("unknown flag " + std::string{name});
    if (equals == std::string_view::npos && i + 1 == args.size())
      return usage_error("flag " + std::string{name} + " needs a value");
    out.flags[key_of(name.substr(2))] = equals == std::string_view::npos ? args[++i] : arg.substr(equals + 1);
  }
  if (words.empty()) return out;

  const auto said = joined(words), but_last = joined(std::span{words}.first(words.size() - 1));
  std::vector<std::string> names;
  for (const auto& known : subcommands) {
    if (known.takes_file && known.words == said) return usage_error(said + " needs a file");
    if (known.words == (known.takes_file ? but_last : said)) {
      out.what = known.what;
      if (known.takes_file) out.file = words.back();
      return out;
    }
    names.emplace_back(known.words);
  }
  return usage_error("unknown command " + said + suggestion(said, names));
}

void refuse_unknown_flags(command& from, const std::vector<std::string>& keys) {
  for (const auto& [key, value] : from.flags) {
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
    std::vector<std::string> flags;
    flags.reserve(keys.size());
    for (const auto& known : keys) flags.push_back(flag_of(known));
    from = usage_error("unknown flag " + flag_of(key) + suggestion(flag_of(key), flags));
    return;
  }
}

std::string_view usage() {
  return R"(usage: connectord [command] [--flag value …]

  serve           API, scheduler, workers and signal engine in one process (default)
  migrate up      apply pending migrations
  migrate status  list them; exit 3 when some are pending
  check-config    list every problem of the configuration; exit 78 when there is one
  keys rotate     re-encrypt stored secrets to the primary key
  providers check FILE   run a provider's definition and its fixtures; exit 78 when there is a problem
  providers accept FILE  write what the definition makes of its fixtures into them
  version         print the version
  openapi         print the OpenAPI document

Every setting is a flag: POBLYSH_API_BIND_ADDR is --api-bind-addr 127.0.0.1:8080 or
--api-bind-addr=127.0.0.1:8080. docs/configuration.md lists them.
)";
}

}  // namespace connectord::config

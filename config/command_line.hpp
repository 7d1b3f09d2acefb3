#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace connectord::config {

constexpr int exit_usage = 64, exit_configuration = 78;

struct command {
  enum class kind {
    serve,
    migrate_up,
    migrate_status,
    check_config,
    keys_rotate,
    providers_check,
    providers_accept,
    version,
    openapi,
    help,
    usage_error
  };

  kind what = kind::serve;
  std::string file;                          ///< operand of `providers …`
  std::map<std::string, std::string> flags;  ///< by key without POBLYSH_: `--api-bind-addr` is API_BIND_ADDR
  std::string error;                         ///< of usage_error; print it and `usage()` to stderr, exit 64
};

/// `args` without the program's name. Flags may stand before and behind the subcommand and take their
/// value after `=` or as the next argument; the last of a repeated flag wins. Names are checked apart
/// (`refuse_unknown_flags`), since which keys exist depends on a flag: --providers-dir.
command parse_command_line(std::span<const std::string_view> args);

/// Turns the command into a usage error when a flag belongs to none of `keys` (see `setting_keys`).
void refuse_unknown_flags(command& from, const std::vector<std::string>& keys);

std::string_view usage();

}  // namespace connectord::config

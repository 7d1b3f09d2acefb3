#include "base/log.hpp"
#include "commands.hpp"
#include "config/command_line.hpp"
#include "config/provider_loader.hpp"
#include "config/settings.hpp"
#include "http/app.hpp"
#include "serve.hpp"

#include <malloc.h>
#include <sys/prctl.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <sstream>

extern char** environ;

namespace {

using namespace connectord;
using kind = config::command::kind;

config::environment process_environment() {
  config::environment all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view pair{*entry};
    if (const auto equals = pair.find('='); equals != pair.npos)
      all.emplace(pair.substr(0, equals), pair.substr(equals + 1));
  }
  return all;
}

int usage_error(const config::command& c) {
  std::cerr << c.error << "\n\n" << config::usage();
  return config::exit_usage;
}

int refuse_configuration(const std::vector<std::string>& problems) {
  for (const auto& p : problems) std::cerr << p << '\n';
  return config::exit_configuration;
}

/// One line a problem, each naming the key, as for every other setting.
int refuse_folder(const error& e) {
  std::vector<std::string> problems;
  std::istringstream lines{std::string{e.message()}};
  for (std::string line; std::getline(lines, line);) problems.push_back("POBLYSH_PROVIDERS_DIR: " + line);
  return refuse_configuration(problems);
}

/// The providers that this deployment registers.
provider::catalog registered(const provider::catalog& all, const config::settings& s) {
  std::vector<provider::definition> kept;
  for (const auto& d : all.all())
    if (s.providers.contains(d.slug)) kept.push_back(d);
  return provider::catalog{std::move(kept)};
}

void report(const config::loaded& loaded) {
  for (const auto& w : loaded.warnings) log::write(log::level::warn, "config.warning", {{"warning", w}});
  for (const auto& r : loaded.report) log::debug("config.value", {{"name", r.key}, {"state", r.state}});
}

int run(config::command& c) {
  const auto process = process_environment();
  const auto here = std::filesystem::current_path();
  const auto folder = config::peek_setting("PROVIDERS_DIR", process, c.flags, here);
  // Every definition: the settings of a provider that is not registered are known all the same.
  auto catalog = config::load_catalog(
      folder.empty() ? std::nullopt : std::optional<std::filesystem::path>{folder}, true);
  if (!catalog) return refuse_folder(catalog.error());
  const auto facts = config::facts_of(*catalog);
  config::refuse_unknown_flags(c, config::setting_keys(facts));
  if (c.what == kind::usage_error) return usage_error(c);
  if (c.what == kind::openapi) {
    std::cout << openapi_document_of(*catalog) << '\n';
    return 0;
  }
  const auto loaded = config::load_settings(process, c.flags, here, facts);
  if (!loaded.value) return refuse_configuration(loaded.problems);
  const auto& settings = *loaded.value;
  if (c.what == kind::check_config) {
    for (const auto& w : loaded.warnings) std::cerr << "warning: " << w << '\n';
    std::puts("configuration ok");
    return 0;
  }
  log::configure(settings.log_level, settings.log_format);
  report(loaded);
  switch (c.what) {
    case kind::migrate_up: return migrate_up(settings);
    case kind::migrate_status: return migrate_status(settings);
    case kind::keys_rotate: return rotate_keys(settings);
    default: return serve(settings, registered(*catalog, settings));
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_DUMPABLE, 0);  // secrets stay out of core files
  // By default the threshold follows what is freed: after the first large body, all later ones stay in the
  // heap.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  auto command = config::parse_command_line(arguments);
  try {
    switch (command.what) {
      case kind::usage_error: return usage_error(command);
      case kind::help: std::cout << config::usage(); return 0;
      case kind::version: std::cout << "connectord " << web::service_version << '\n'; return 0;
      case kind::providers_check:
      case kind::providers_accept: {
        config::refuse_unknown_flags(command, {});
        if (command.what == kind::usage_error) return usage_error(command);
        return command.what == kind::providers_check ? check_provider(command.file)
                                                     : accept_provider(command.file);
      }
      default: {
        const int code = run(command);
        log::flush();
        return code;
      }
    }
  } catch (const std::exception& e) {
    log::error("process.failed", {{"error", e.what()}});
    log::flush();
    return exit_failure;
  }
}

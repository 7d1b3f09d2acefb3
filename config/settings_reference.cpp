#include "config/settings_table.hpp"

namespace connectord::config {
namespace {

constexpr std::string_view preface =
    R"(# Configuration

Generated from the settings table (`config/settings_table.cpp`); the `config` tests compare it with this
file and rewrite it when run with `UPDATE_DOCS=1`.

Every key has the prefix `POBLYSH_`, which the tables omit, and a flag: `API_BIND_ADDR` is `--api-bind-addr
127.0.0.1:0` or `--api-bind-addr=127.0.0.1:0`. Flags are visible to every user of the machine, so secrets
belong in the environment or in a file.

Sources, later wins: the YAML file that `CONFIG_FILE` names, `.env`, `.env.local`, `.env.<profile>`,
`.env.<profile>.local` in the working directory, the environment, flags. The profile comes from a flag, the
environment, the first two files or the YAML file, else it is `local`. Environment files hold `KEY=value`
lines, bare or quoted; only `POBLYSH_` keys are read.

Values are trimmed. A value that does not parse is an error and so is a blank one, save where it may be
empty. `connectord check-config` lists all problems at once and exits 78; unknown keys, and keys of
providers that are not registered, are warnings.
)";

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string{c};
  return out;
}

std::string code(std::string_view text) { return "`" + cell(text) + "`"; }

std::string default_cell(const setting& row) {
  std::string out = row.fallback.empty() ? "none" : code(row.fallback);
  for (const auto& [profile, text] : row.fallback_in) out += ", " + profile + " " + code(text);
  return out;
}

void append_table(std::string& out, std::string_view heading, const std::vector<const setting*>& rows) {
  out += "\n## " + std::string{heading} + "\n\n| Key | Default | Valid | Meaning |\n|---|---|---|---|\n";
  for (const auto* row : rows) {
    out += "| " + code(row->key) + " | " + default_cell(*row) + " | " + cell(row->expected) +
           (row->secret ? "; secret" : "") + " | " + cell(row->doc);
    for (const auto& alias : row->aliases)
      out += (&alias == &row->aliases.front() ? " Also read as " : ", ") + code(alias);
    out += row->aliases.empty() ? " |\n" : ". |\n";
  }
}

/// The rows that every provider has, `<P>` standing for its slug.
std::vector<setting> family_rows(bool oauth) {
  provider_facts any;
  any.slug = "<P>";
  any.oauth = oauth;
  return settings_of(any);
}

std::vector<const setting*> pointers(const std::vector<setting>& rows) {
  std::vector<const setting*> out;
  for (const auto& row : rows) out.push_back(&row);
  return out;
}

}  // namespace

std::string settings_reference(const std::vector<provider_facts>& providers) {
  std::string out{preface};
  const auto& table = generic_settings();
  for (std::size_t i = 0; i < table.size();) {
    std::vector<const setting*> rows;
    const auto& group = table[i].group;
    for (; i < table.size() && table[i].group == group; ++i) rows.push_back(&table[i]);
    append_table(out, group, rows);
  }

  const auto family = family_rows(true);
  append_table(out, "Of every provider", pointers(family));
  out +=
      "\n`<P>` is the provider's slug in upper case with `_` for `-`. Providers without OAuth have "
      "`<P>_API_BASE` and the rate limits only;\n"
      "two spellings of one key with different values are an error.\n";

  std::vector<setting> own;
  for (const auto& provider : providers) {
    auto rows = settings_of(provider);
    const auto skip = family_rows(provider.oauth).size();
    own.insert(own.end(), rows.begin() + static_cast<std::ptrdiff_t>(skip), rows.end());
  }
  if (!own.empty()) append_table(out, "Of single providers", pointers(own));
  return out;
}

}  // namespace connectord::config

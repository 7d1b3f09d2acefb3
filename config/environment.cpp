#include "config/environment.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace connectord::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "POBLYSH_";

using layer = std::map<std::string, given>;

/// Later wins; `merge` alone would keep the earlier one.
void put_over(layer& below, layer above) {
  above.merge(below);
  below.swap(above);
}

std::optional<std::string> contents_of(const fs::path& path) {
  std::error_code ignored;
  std::ifstream in{path, std::ios::binary};
  if (!in || fs::is_directory(path, ignored)) return std::nullopt;
  return std::string{std::istreambuf_iterator<char>{in}, {}};
}

/// 'as it is', "with \n, \" and \\", or bare up to a comment. Nothing when a quote does not close.
std::optional<std::string> unquote(std::string_view text) {
  if (text.empty() || (text.front() != '\'' && text.front() != '"')) {
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '#' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\t')) text = text.substr(0, i);
    return std::string{trim(text)};
  }
  const char quote = text.front();
  std::string out;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      const auto rest = trim(text.substr(i + 1));
      if (!rest.empty() && rest.front() != '#') return std::nullopt;
      return std::string{trim(out)};
    }
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size())
      out += text[++i] == 'n' ? '\n' : text[i];
    else
      out += text[i];
  }
  return std::nullopt;
}

/// Only lines with our prefix are ours to judge; the file may serve other programs too.
void read_dotenv(const fs::path& folder, const std::string& name, gathered& out) {
  std::error_code ignored;
  if (!fs::exists(folder / name, ignored)) return;
  const auto text = contents_of(folder / name);
  if (!text) {
    out.problems.push_back(name + ": cannot be read, although POBLYSH_ keys may stand in it");
    return;
  }
  layer found;
  std::size_t number = 0;
  for (std::string_view rest = *text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    auto line = trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    ++number;
    if (line.starts_with("export ")) line = trim(line.substr(7));
    if (!line.starts_with(prefix)) continue;
    const auto equals = line.find('=');
    const std::string key{trim(line.substr(0, equals))};
    auto value = equals == std::string_view::npos ? std::nullopt : unquote(trim(line.substr(equals + 1)));
    if (value)
      found.insert_or_assign(key.substr(prefix.size()), given{std::move(*value), name});
    else
      // The line may hold a secret in place of a key, so no more of it is shown than a key can be.
      out.problems.push_back(key.substr(0, key.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")) +
                             ": expected KEY=value with closed quotes in " + name + " line " +
                             std::to_string(number));
  }
  put_over(out.values, std::move(found));
}

layer process_layer(const environment& process, const std::map<std::string, std::string>& flags) {
  layer out;
  for (const auto& [name, value] : process)
    if (name.starts_with(prefix)) out[name.substr(prefix.size())] = {std::string{trim(value)}, "environment"};
  for (const auto& [key, value] : flags) out[key] = {std::string{trim(value)}, "flag"};
  return out;
}

std::string scalar_of(const YAML::Node& node) {
  if (!node.IsSequence()) return node.Scalar();
  std::string out;
  for (const auto& part : node) out += (out.empty() ? "" : ",") + part.Scalar();
  return out;
}

void read_yaml(const fs::path& folder, const std::string& name, gathered& out) {
  const std::string complaint = "POBLYSH_CONFIG_FILE: " + name;
  const auto text = contents_of(folder / name);
  if (!text) {
    out.problems.push_back(complaint + " cannot be read");
    return;
  }
  layer found;
  try {
    const auto root = YAML::Load(*text);
    if (!root.IsMap() && !root.IsNull()) {
      out.problems.push_back(complaint + ": expected one mapping of keys to values");
      return;
    }
    for (const auto& entry : root) {
      const auto key = entry.first.Scalar();
      if (entry.second.IsMap() || entry.second.IsNull())
        out.problems.push_back("POBLYSH_" + upper(key) + ": expected a value or a list in " + name);
      else
        found[upper(key)] = {std::string{trim(scalar_of(entry.second))}, name};
    }
  } catch (const YAML::Exception& broken) {
    out.problems.push_back(complaint + ": no YAML, see line " + std::to_string(broken.mark.line + 1));
    return;
  }
  for (auto& [key, value] : found) out.values.try_emplace(key, std::move(value));
}

std::string text_of(const gathered& from, const std::string& key) {
  const auto found = from.values.find(key);
  return found == from.values.end() ? std::string{} : found->second.text;
}

/// A profile becomes part of a file name, so one that is no profile names no file.
bool names_files(std::string_view profile) {
  return !profile.empty() &&
         profile.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

}  // namespace

gathered gather(const environment& process, const std::map<std::string, std::string>& flags,
                const std::filesystem::path& working_folder) {
  const auto own = process_layer(process, flags);
  gathered out;
  read_dotenv(working_folder, ".env", out);
  read_dotenv(working_folder, ".env.local", out);

  // Where the profile and the YAML file are named is settled before the files that depend on them.
  gathered first = out;
  put_over(first.values, own);
  if (const auto file = text_of(first, "CONFIG_FILE"); !file.empty()) {
    read_yaml(working_folder, file, out);
    for (const auto& [key, value] : out.values) first.values.try_emplace(key, value);
  }
  auto profile = text_of(first, "PROFILE");
  if (profile.empty() && !first.values.contains("PROFILE")) profile = "local";
  if (names_files(profile)) {
    if (profile != "local") read_dotenv(working_folder, ".env." + profile, out);  // read already
    read_dotenv(working_folder, ".env." + profile + ".local", out);
  }
  put_over(out.values, own);
  out.values.erase("PROFILE");
  if (const auto found = first.values.find("PROFILE"); found != first.values.end()) out.values.insert(*found);
  return out;
}

}  // namespace connectord::config

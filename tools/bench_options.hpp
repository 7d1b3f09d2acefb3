#pragma once

#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

/// `--name value` pairs of a bench program, each with a default.
class options {
 public:
  options(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
      const std::string_view name = argv[i];
      if (!name.starts_with("--")) usage(name);
      values_[std::string{name.substr(2)}] = argv[i + 1];
    }
    if (argc % 2 == 0) usage(argv[argc - 1]);
  }

  std::string text(const std::string& name, const std::string& fallback = {}) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : found->second;
  }
  long number(const std::string& name, long fallback) const {
    const auto found = values_.find(name);
    return found == values_.end() ? fallback : std::strtol(found->second.c_str(), nullptr, 10);
  }

 private:
  [[noreturn]] static void usage(std::string_view bad) {
    std::cerr << "expected --name value, found " << bad << '\n';
    std::exit(64);
  }

  std::map<std::string, std::string> values_;
};

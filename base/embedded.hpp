#pragma once

#include <string_view>
#include <vector>

/// Files that travel inside the binary; the tables are written by cmake/embed.cmake.
namespace connectord::embedded {

struct file {
  std::string_view name;  ///< without folder
  std::string_view content;
};

const std::vector<file>& providers();   ///< config/providers/*.yaml
const std::vector<file>& migrations();  ///< storage/migrations/*.sql, by name
const std::vector<file>& assets();      ///< http/assets/*
const std::vector<file>& templates();   ///< http/templates/*.html

}  // namespace connectord::embedded

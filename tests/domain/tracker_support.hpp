#pragma once

#include "domain/tracker/model.hpp"

#include <string>
#include <utility>

/// One of each, of binding-less work package WP01.
namespace connectord::tracker::testing {

inline identity issue_named(std::string id) { return {"linear", "acme", std::move(id)}; }

inline issue_content content_of(std::string id) {
  return {.ref = issue_named(std::move(id)),
          .title = "Fix login",
          .status = external_status::todo,
          .type = issue_type::task};
}

inline link link_to(std::string id, std::string mission = {}) {
  link out;
  out.id = link_id::make();
  out.wp = {"WP01", std::move(mission)};
  out.target = issue_named(std::move(id));
  return out;
}

inline work_package package(std::string mission = {}) {
  work_package out;
  out.ref = {"WP01", std::move(mission)};
  return out;
}

}  // namespace connectord::tracker::testing

#pragma once

#include "actors/protocol/projects.hpp"
#include "base/json.hpp"
#include "http/response.hpp"

/// The shapes of tracker-api, section 3, written straight into the answer.
namespace connectord::web {

void write(json_writer& w, const tracker::feature_flag& f);
void write(json_writer& w, const project_view& p);
void write(json_writer& w, const work_package_view& wp);
void write(json_writer& w, const tracker::activity& a);
void write(json_writer& w, const tracker::project_summary& s);
void write(json_writer& w, const tracker::work_package_summary& s, const tracker::work_package& wp);
void write(json_writer& w, const tracker::link_view& l);
void write(json_writer& w, const tracker::drift_record& d);

/// One value as the whole answer.
template <class T>
response rendered(int status, const T& value) {
  std::string body;
  json_writer w{body};
  write(w, value);
  return tracker_json(status, std::move(body));
}

}  // namespace connectord::web

#pragma once

#include "base/json.hpp"
#include "domain/tracker/model.hpp"
#include "http/response.hpp"

/// The shapes of tracker-api, section 3, written straight into the answer.
namespace connectord::web {

void write(json_writer& w, const tracker::feature_flag& f);

/// One value as the whole answer.
template <class T>
response rendered(int status, const T& value) {
  std::string body;
  json_writer w{body};
  write(w, value);
  return tracker_json(status, std::move(body));
}

}  // namespace connectord::web

#include "http/views/places.hpp"

#include "base/form.hpp"

namespace connectord::web {

std::string url_of(const tracker::project_id& p) { return "/dashboard/projects/" + p.str(); }

std::string url_of(const tracker::work_package& wp) {
  auto url = url_of(wp.project) + "/work-packages/" + percent_encoded(wp.ref.wp_id);
  return wp.ref.mission.empty() ? url : url + "?mission=" + percent_encoded(wp.ref.mission);
}

}  // namespace connectord::web

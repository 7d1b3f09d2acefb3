#include "http/tracker_filters.hpp"

namespace connectord::web {

tracker::any_of providers(list_reader& q) {
  tracker::any_of out;
  for (const auto& text : q.texts("provider")) {
    if (const auto known = tracker::read_provider(text))
      out.emplace_back(tracker::name_of(*known));
    else
      q.refuse("provider", "is not one of the known values");
  }
  return out;
}

}  // namespace connectord::web

#include "http/tracker_shapes.hpp"

namespace connectord::web {

void write(json_writer& w, const tracker::feature_flag& f) {
  w.open().member("key", f.key).member("enabled", f.enabled);
  w.member("description", "Issue-tracker snapshots, bindings and drift").member("updated_at", f.updated_at);
  w.close();
}

}  // namespace connectord::web

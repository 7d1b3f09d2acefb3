#include "actors/tracker/snapshot_reader.hpp"

#include "actors/tracker/reading.hpp"

namespace connectord {
namespace {

class snapshot_reader {
 public:
  using handle = snapshot_reader_actor;
  using interface = snapshot_reader_actor;
  static constexpr const char* name = "snapshot_reader";

  snapshot_reader(self_pointer<snapshot_reader>, services_ptr s) : services_(std::move(s)) {}

  interface::behavior_type behavior() {
    return {[this](const read_body& r) -> caf::result<body_read> {
      return body_read{std::make_shared<const body_read::reading>(
          tracker::read_snapshot(r.bytes, r.raw_sha256, services_->tracker))};
    }};
  }

 private:
  services_ptr services_;
};

}  // namespace

snapshot_reader_actor spawn_snapshot_reader(cradle where, services_ptr s) {
  return spawn<snapshot_reader, caf::detached>(where, {"snapshot_reader", "system", {}, {}}, std::move(s));
}

}  // namespace connectord

#include "storage/tracker/codec.hpp"

namespace connectord::storage {

std::string encode_doctrine(const tracker::doctrine& d) {
  std::string out;
  json_writer w{out};
  w.open().member("mode", tracker::name_of(d.mode)).key("field_owners").open();
  for (const auto& [field, owner] : d.field_owners) w.member(field, tracker::name_of(owner));
  w.close().close();
  return out;
}

tracker::doctrine decode_doctrine(std::string_view json) {
  const auto stored = parse_json_object(json).value();
  const auto word = [](const json::value& v) { return std::string_view{v.as_string()}; };
  tracker::doctrine d;
  d.mode = tracker::parse<tracker::doctrine_mode>(word(stored.at("mode"))).value();
  for (const auto& [field, owner] : stored.at("field_owners").as_object())
    d.field_owners.emplace(field, tracker::parse<tracker::owner>(word(owner)).value());
  return d;
}

}  // namespace connectord::storage

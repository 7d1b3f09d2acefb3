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

std::string encode_kinds(const tracker::drift_by_kind& counts) {
  std::string out;
  json_writer w{out};
  w.open();
  for (const auto& [kind, n] : counts)
    if (n != 0) w.member(tracker::name_of(kind), n);
  w.close();
  return out;
}

tracker::drift_by_kind decode_kinds(std::string_view json) {
  tracker::drift_by_kind counts;
  if (json == "{}") return counts;
  const auto stored = parse_json_object(json).value();
  for (const auto& [name, n] : stored)
    if (n.as_int64() != 0) counts.emplace(tracker::parse<tracker::drift_kind>(name).value(), n.as_int64());
  return counts;
}

std::string like_pattern(std::string_view part) {
  std::string pattern{"%"};
  for (const char c : part) {
    if (c == '%' || c == '_' || c == '\\') pattern.push_back('\\');
    pattern.push_back(c);
  }
  return pattern.append("%");
}

}  // namespace connectord::storage

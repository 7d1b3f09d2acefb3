#include "storage/codec.hpp"

#include <boost/json/parse.hpp>

namespace connectord::storage {
namespace {

json::value stored_json(std::string_view text) {
  boost::system::error_code failed;
  auto value = json::parse(json::string_view{text}, failed);
  if (failed) throw std::runtime_error("a stored JSON text does not parse");
  return value;
}

std::string str(const json::value& v) { return std::string{json::string_view{v.as_string()}}; }

template <class Pairs, class First, class Second>
std::string encode_pairs(const Pairs& pairs, First first, Second second) {
  std::string out;
  json_writer w{out};
  w.open_array();
  for (const auto& pair : pairs) w.open_array().value(first(pair)).value(second(pair)).close_array();
  w.close_array();
  return out;
}

template <class Pair>
std::vector<Pair> decode_pairs(std::string_view text) {
  std::vector<Pair> pairs;
  const auto parsed = stored_json(text);
  for (const auto& pair : parsed.as_array())
    pairs.push_back(Pair{str(pair.as_array().at(0)), str(pair.as_array().at(1))});
  return pairs;
}

}  // namespace

std::string encode_texts(const std::vector<std::string>& texts) {
  std::string out;
  json_writer w{out};
  w.open_array();
  for (const auto& text : texts) w.value(std::string_view{text});
  w.close_array();
  return out;
}

std::vector<std::string> decode_texts(std::string_view text) {
  std::vector<std::string> texts;
  const auto parsed = stored_json(text);
  for (const auto& item : parsed.as_array()) texts.push_back(str(item));
  return texts;
}

std::string encode_headers(const header_list& headers) {
  return encode_pairs(
      headers, [](const auto& h) { return std::string_view{h.first}; },
      [](const auto& h) { return std::string_view{h.second}; });
}
header_list decode_headers(std::string_view text) { return decode_pairs<header_list::value_type>(text); }

std::string encode_identities(const std::vector<identity>& identities) {
  return encode_pairs(
      identities, [](const identity& i) { return std::string_view{i.kind}; },
      [](const identity& i) { return std::string_view{i.value}; });
}
std::vector<identity> decode_identities(std::string_view text) { return decode_pairs<identity>(text); }

std::string encode_error(const job_error& e) {
  std::string out;
  json_writer{out}
      .open()
      .member("type", e.type)
      .member("message", e.message)
      .member("at", to_millis(e.at))
      .member("backoff_seconds", e.backoff_seconds)
      .close();
  return out;
}

job_error decode_error(std::string_view text) {
  const auto parsed = stored_json(text);
  const auto& o = parsed.as_object();
  job_error e{.type = str(o.at("type")),
              .message = str(o.at("message")),
              .at = from_millis(o.at("at").to_number<std::int64_t>()),
              .backoff_seconds{}};
  if (const auto& seconds = o.at("backoff_seconds"); !seconds.is_null())
    e.backoff_seconds = seconds.to_number<std::int64_t>();
  return e;
}

}  // namespace connectord::storage

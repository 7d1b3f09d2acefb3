#include "http/key_sets.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <charconv>

namespace connectord::web {
namespace {

constexpr seconds shortest_life{60}, longest_life{24 * 60 * 60}, default_life{5 * 60};
constexpr seconds patience{5};     ///< for one fetch: a sender waits for it
constexpr seconds retry_pause{1};  ///< after a failed one
constexpr std::chrono::minutes memory{1};
constexpr std::size_t most_keys = 64, most_key_bytes = 1024, most_id_bytes = 256;

std::string_view text_of(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(name);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string_view{} : std::string_view{text->data(), text->size()};
}

std::optional<provider::jwk> signature_key(const json::object& o) {
  const auto either = [&](std::string_view name, std::string_view wanted) {
    return !o.contains(name) || text_of(o, name) == wanted;
  };
  if (text_of(o, "kty") != "RSA" || !either("use", "sig") || !either("alg", "RS256")) return std::nullopt;
  const auto kid = text_of(o, "kid");
  auto n = from_base64url(text_of(o, "n")), e = from_base64url(text_of(o, "e"));
  if (kid.empty() || kid.size() > most_id_bytes || !n || !e) return std::nullopt;
  if (n->empty() || e->empty() || n->size() > most_key_bytes || e->size() > sizeof(std::uint64_t))
    return std::nullopt;
  return provider::jwk{std::string{kid}, std::move(*n), std::move(*e)};
}

bool holds(const provider::key_set& keys, std::string_view kid) {
  return std::ranges::find(keys, kid, &provider::jwk::kid) != keys.end();
}

}  // namespace

std::optional<provider::key_set> parse_key_set(std::string_view text) {
  const auto document = parse_json_object(text);
  const auto* keys = document ? document->if_contains("keys") : nullptr;
  if (keys == nullptr || !keys->is_array()) return std::nullopt;
  provider::key_set out;
  for (const auto& k : keys->get_array()) {
    auto key = k.is_object() ? signature_key(k.get_object()) : std::nullopt;
    if (key && out.size() < most_keys) out.push_back(std::move(*key));
  }
  if (out.empty()) return std::nullopt;
  return out;
}

seconds lifetime_of(std::string_view cache_control) {
  constexpr std::string_view name = "max-age=";
  auto life = default_life;
  while (!cache_control.empty()) {
    const auto comma = std::min(cache_control.find(','), cache_control.size());
    const auto directive = trimmed(cache_control.substr(0, comma));
    cache_control.remove_prefix(std::min(comma + 1, cache_control.size()));
    const boost::beast::string_view stem{directive.data(), std::min(directive.size(), name.size())};
    if (boost::beast::iequals(directive, "no-store") || boost::beast::iequals(directive, "no-cache"))
      return shortest_life;
    if (!boost::beast::iequals(stem, name)) continue;
    std::uint32_t age = 0;
    const auto* end = directive.data() + directive.size();
    const auto read = std::from_chars(directive.data() + name.size(), end, age);
    if (read.ec == std::errc::result_out_of_range)
      life = longest_life;
    else if (read.ec == std::errc{} && read.ptr == end)
      life = seconds{age};
  }
  return std::clamp(life, shortest_life, longest_life);
}

bool key_sets::may_refetch(entry& e, const std::string& kid, steady_time now) {
  std::erase_if(e.unknown, [&](const auto& u) { return now - u.second >= memory; });
  const bool known =
      std::ranges::find(e.unknown, kid, &std::pair<std::string, steady_time>::first) != e.unknown.end();
  return !known && kid.size() <= most_id_bytes && e.unknown.size() < most_refetches;
}

asio::awaitable<void> key_sets::refresh(std::string url, entry& e) {
  http_response answer;
  answer.failure = call_failure::network_error;
  try {
    answer = co_await fetch_(std::move(url), std::chrono::steady_clock::now() + patience);
  } catch (const std::exception& bug) {
    log::error("key_set.fetch_failed", {{"error", bug.what()}});
  }
  auto keys = answer.ok() ? parse_key_set(answer.body) : std::nullopt;
  const auto now = now_();
  if (keys) {
    e.keys = std::make_shared<const provider::key_set>(std::move(*keys));
    e.fresh_until = now + lifetime_of(answer.header("cache-control").value_or(""));
  } else {
    const auto why = answer.ok() ? name_of(call_failure::malformed_response) : upstream_error(answer);
    e.last_failure =
        error{errc::provider_error}.with("provider", json::object{{"status", answer.status}, {"error", why}});
    e.retry_at = now + retry_pause;
    log::warn("key_set.unavailable", {{"error", json::serialize(e.last_failure.details())}});
  }
  e.fetching = false;
  e.fetched.cancel();
}

asio::awaitable<result<key_set_ptr>> key_sets::find(std::string url, std::string kid) {
  auto& e = entries_.try_emplace(url, io_).first->second;
  const auto now = now_();
  const bool fresh = e.keys && now < e.fresh_until;
  if (fresh && holds(*e.keys, kid)) co_return e.keys;
  bool looked = e.fetching;
  if (!e.fetching && now >= e.retry_at && (!fresh || may_refetch(e, kid, now))) {
    looked = e.fetching = true;
    asio::co_spawn(io_, refresh(url, e), asio::detached);
  }
  if (e.fetching) {
    boost::system::error_code ignored;
    co_await e.fetched.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  // Whoever waited has had its look: another one for this id has to wait its minute.
  if (looked && e.keys && !holds(*e.keys, kid) && may_refetch(e, kid, now)) e.unknown.emplace_back(kid, now);
  if (!e.keys || now_() >= e.fresh_until) co_return e.last_failure;
  co_return e.keys;
}

}  // namespace connectord::web

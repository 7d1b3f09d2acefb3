#include "domain/snapshot.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

#include <stdexcept>

namespace connectord {
namespace {

void write_time(json_writer& w, std::string_view name, std::optional<timestamp> t) {
  w.member(name, t ? std::optional<std::int64_t>{to_millis(*t)} : std::nullopt);
}

void write_bytes(json_writer& w, std::string_view name, const std::optional<std::string>& bytes) {
  w.member(name, bytes ? std::optional{to_base64(*bytes)} : std::nullopt);
}

void write_secret(json_writer& w, std::string_view name, const std::optional<sealed_secret>& s) {
  write_bytes(w, name, s ? std::optional{s->ciphertext} : std::nullopt);
  write_time(w, std::string{name} + "_until", s ? s->valid_until : std::nullopt);
}

void write_connection(json_writer& w, const connection& c) {
  w.open().member("id", c.id.text()).member("provider", c.provider).member("external_id", c.external_id);
  w.member("display_name", c.display_name).member("status", static_cast<int>(c.status));
  w.member("status_reason", c.status_reason);
  write_bytes(w, "access", c.access_ciphertext);
  write_bytes(w, "refresh", c.refresh_ciphertext);
  write_secret(w, "previous_refresh", c.previous_refresh);
  w.member("token_epoch", c.token_epoch);
  write_time(w, "expires_at", c.expires_at);
  w.key("scopes").open_array();
  for (const auto& s : c.scopes) w.value(std::string_view{s});
  w.close_array().member("metadata", c.metadata);
  write_secret(w, "secret", c.webhook_secret);
  write_secret(w, "previous_secret", c.previous_webhook_secret);
  w.key("identities").open_array();
  for (const auto& i : c.identities) w.open().member("kind", i.kind).member("value", i.value).close();
  w.close_array();
  write_time(w, "next_run_at", c.next_run_at);
  write_time(w, "created_at", c.created_at);
  write_time(w, "updated_at", c.updated_at);
  w.close();
}

/// Throws what Boost.JSON throws: one handler in `read_snapshot` turns it all into "damaged".
std::optional<std::string> text(const json::object& o, std::string_view name) {
  const auto& v = o.at(name);
  if (v.is_null()) return std::nullopt;
  return std::string{v.as_string()};
}

std::optional<timestamp> time(const json::object& o, std::string_view name) {
  const auto& v = o.at(name);
  if (v.is_null()) return std::nullopt;
  return from_millis(v.as_int64());
}

std::optional<std::string> bytes(const json::object& o, std::string_view name) {
  const auto encoded = text(o, name);
  return encoded ? std::optional{from_base64(*encoded).value()} : std::nullopt;
}

std::optional<sealed_secret> sealed(const json::object& o, std::string_view name) {
  auto ciphertext = bytes(o, name);
  if (!ciphertext) return std::nullopt;
  return sealed_secret{std::move(*ciphertext), time(o, std::string{name} + "_until")};
}

connection_status status(const json::object& o) {
  const auto number = o.at("status").as_int64();
  if (number < 0 || number > static_cast<int>(connection_status::revoked)) throw std::out_of_range{"status"};
  return static_cast<connection_status>(number);
}

connection read_connection(const json::object& o) {
  connection c;
  c.id = connection_id::parse(text(o, "id").value()).value();
  c.provider = text(o, "provider").value();
  c.external_id = text(o, "external_id").value();
  c.display_name = text(o, "display_name");
  c.status = status(o);
  c.status_reason = text(o, "status_reason");
  c.access_ciphertext = bytes(o, "access");
  c.refresh_ciphertext = bytes(o, "refresh");
  c.previous_refresh = sealed(o, "previous_refresh");
  c.token_epoch = o.at("token_epoch").as_int64();
  c.expires_at = time(o, "expires_at");
  for (const auto& s : o.at("scopes").as_array()) c.scopes.emplace_back(s.as_string());
  c.metadata = text(o, "metadata").value();
  c.webhook_secret = sealed(o, "secret");
  c.previous_webhook_secret = sealed(o, "previous_secret");
  for (const auto& i : o.at("identities").as_array())
    c.identities.push_back({text(i.as_object(), "kind").value(), text(i.as_object(), "value").value()});
  c.next_run_at = time(o, "next_run_at");
  c.created_at = time(o, "created_at").value();
  c.updated_at = time(o, "updated_at").value();
  return c;
}

}  // namespace

std::string write_snapshot(const std::vector<connection>& connections) {
  std::string out;
  json_writer w{out};
  w.open().member("version", snapshot_version).key("connections").open_array();
  for (const auto& c : connections) write_connection(w, c);
  w.close_array().close();
  return out;
}

std::optional<std::vector<connection>> read_snapshot(std::string_view snapshot) {
  const auto parsed = parse_json_object(snapshot);
  if (!parsed) return std::nullopt;
  try {
    if (parsed->at("version").as_int64() != snapshot_version) return std::nullopt;
    std::vector<connection> out;
    for (const auto& c : parsed->at("connections").as_array()) out.push_back(read_connection(c.as_object()));
    return out;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::string snapshot_checksum(std::string_view snapshot) { return to_hex(bytes_of(sha256(snapshot))); }

}  // namespace connectord

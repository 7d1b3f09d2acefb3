#include "commands.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "config/command_line.hpp"
#include "config/provider_check.hpp"
#include "domain/tenant_state.hpp"
#include "storage/key_checks.hpp"
#include "storage/migrate.hpp"
#include "storage/sealed_values.hpp"

#include <cstdio>
#include <thread>

namespace connectord {
namespace {

constexpr int attempts = 5, rotation_batch = 500;
constexpr std::string_view check_text = "connectord key check", check_scope = "key-check";

storage::location location_of(const config::settings& s) {
  const bool sqlite = s.database_url.kind == config::database_location::engine::sqlite;
  return {sqlite ? storage::dialect::sqlite : storage::dialect::postgresql, s.database_url.target};
}

void print(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

void write_versions(json_writer& w, std::string_view name, const std::vector<std::string>& versions) {
  w.key(name).open_array();
  for (const auto& v : versions) w.value(std::string_view{v});
  w.close_array();
}

int failed(const error& e) {
  log::error("store.failed", {{"error", e.message()}});
  log::flush();
  return 1;
}

int refused(const error& e) {
  std::fprintf(stderr, "%s\n", std::string{e.message()}.c_str());
  return config::exit_configuration;
}

/// The session of a command that ends when it is done.
struct opened {
  std::unique_ptr<storage::store> store;
  std::unique_ptr<storage::session> db;
};
result<opened> open_current(const config::settings& s) {
  auto store = open_store(s, false);
  if (!store) return store.error();
  auto db = (*store)->open();
  if (!db) return db.error();
  return opened{std::move(*store), std::move(*db)};
}

}  // namespace

result<std::unique_ptr<storage::store>> open_store(const config::settings& s, bool exclusive) {
  for (int attempt = 1;; ++attempt) {
    auto store = storage::open_store(location_of(s), s.db_acquire_timeout_ms, exclusive);
    if (store) {
      const auto db = (*store)->open();
      if (db) return store;
      store = db.error();
    }
    if (store.error().code() == errc::conflict || attempt == attempts) return store;
    log::warn("store.unreachable", {{"attempt", attempt}, {"error", store.error().message()}});
    std::this_thread::sleep_for(milliseconds{200} * attempt);
  }
}

int migrate_status(const config::settings& s) {
  const auto at = open_current(s);
  if (!at) return failed(at.error());
  const auto state = storage::state(*at->db);
  if (!state) return failed(state.error());
  std::string line;
  json_writer w{line};
  w.open().member("event", "migration_status");
  write_versions(w, "applied", state->applied);
  write_versions(w, "pending", state->pending);
  w.close();
  print(line);
  return state->pending.empty() ? 0 : 3;
}

int migrate_up(const config::settings& s) {
  const auto at = open_current(s);
  if (!at) return failed(at.error());
  const auto applied = storage::migrate_up(*at->db, now_utc());
  if (!applied) return failed(applied.error());
  const auto state = storage::state(*at->db);
  if (!state) return failed(state.error());
  std::string line;
  json_writer w{line};
  w.open().member("event", "migrated");
  write_versions(w, "applied", *applied);
  w.member("current", state->current()).close();
  print(line);
  return 0;
}

int rotate_keys(const config::settings& s) {
  const auto at = open_current(s);
  if (!at) return failed(at.error());
  const auto& keys = s.crypto_keys;
  std::int64_t rewritten = 0, skipped = 0, unreadable = 0;
  storage::sealed_cursor from;
  for (;;) {
    const auto batch = storage::sealed_values(*at->db, from, rotation_batch);
    if (!batch) return failed(batch.error());
    if (batch->empty()) break;
    for (const auto& v : *batch) {
      if (v.column < 0) continue;
      if (keyring::key_id_of(v.ciphertext) == keys.primary_id()) {
        ++skipped;
        continue;
      }
      const auto scope = secret_scope(v.tenant, v.provider, v.connection);
      const auto plain = keys.open(v.ciphertext, scope);
      if (!plain) {
        ++unreadable;
        continue;
      }
      const auto swapped = storage::swap_sealed_value(*at->db, v, keys.seal(plain->reveal(), scope));
      if (!swapped) return failed(swapped.error());
      ++(*swapped ? rewritten : skipped);  // somebody else was faster: it is new already
    }
    from = storage::position_of(batch->back());
  }
  std::string line;
  json_writer{line}
      .open()
      .member("event", "keys_rotated")
      .member("primary", keys.primary_id())
      .member("rewritten", rewritten)
      .member("skipped", skipped)
      .member("failed", unreadable)
      .close();
  print(line);
  return unreadable == 0 ? 0 : 1;
}

int check_provider(const std::string& file) {
  const auto checked = config::check_provider(file);
  if (!checked) return refused(checked.error());
  const auto& d = checked->definition;
  print("provider ok: " + d.slug + " " + d.version + ", deliveries " + std::to_string(checked->deliveries) +
        ", syncs " + std::to_string(checked->syncs));
  return 0;
}

int accept_provider(const std::string& file) {
  const auto changed = config::accept_fixtures(file);
  if (!changed) return refused(changed.error());
  print("fixtures written: " + std::to_string(*changed));
  return check_provider(file);
}

result<std::vector<std::string>> check_keys(storage::session& db, const keyring& keys) {
  std::vector<std::string> problems;
  const auto checks = storage::load_key_checks(db);
  if (!checks) return checks.error();
  for (const auto& key : keys.keys()) {
    const keyring alone{{key}};
    const auto known = std::ranges::find(*checks, key.id, &storage::key_check::key_id);
    if (known == checks->end()) {
      const auto stored = storage::store_key_check(db, {key.id, alone.seal(check_text, check_scope)});
      if (!stored) return stored.error();
    } else if (const auto text = alone.open(known->ciphertext, check_scope);
               !text || text->reveal() != check_text) {
      problems.push_back("POBLYSH_CRYPTO_KEYS: key " + key.id +
                         " is not the key that was used before under this id");
    }
  }
  const auto used = storage::key_ids_in_use(db);
  if (!used) return used.error();
  for (const auto& id : *used)
    if (!keys.holds(id))
      problems.push_back("POBLYSH_CRYPTO_KEYS: key " + id + " is in use but missing from the ring");
  return problems;
}

}  // namespace connectord

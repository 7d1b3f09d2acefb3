#include "storage/migrate.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

#include <map>

namespace connectord::storage {
namespace {

std::string version_of(const embedded::file& step) {
  auto name = step.name;
  if (name.ends_with(".sql")) name.remove_suffix(4);
  return std::string{name};
}

std::string checksum_of(const embedded::file& step) { return to_hex(bytes_of(sha256(step.content))); }

/// Cut behind each `;` that stands outside of comments and quotes.
std::vector<std::string_view> statements_of(std::string_view sql) {
  std::vector<std::string_view> found;
  std::size_t start = 0;
  const auto cut = [&](std::size_t end) {
    found.push_back(sql.substr(start, end - start));
    start = end;
  };
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql.substr(i).starts_with("--"))
      i = std::min(sql.find('\n', i), sql.size());
    else if (sql[i] == '\'')
      i = std::min(sql.find('\'', i + 1), sql.size());
    else if (sql[i] == ';')
      cut(i + 1);
  }
  if (!trimmed(sql.substr(start)).empty()) cut(sql.size());  // a directive may come last
  return found;
}

struct step_row {
  std::string version, checksum;
};

result<std::vector<step_row>> applied_steps(session& s) {
  std::vector<step_row> rows;
  const auto ok = s.query("SELECT version, checksum FROM migrations ORDER BY version", {}, [&](const row& r) {
    rows.push_back({r.str(0), r.str(1)});
  });
  if (ok) return rows;
  const error refusal = ok.error();  // a copy: result hands its error out by value
  const auto* reason = refusal.details().if_contains("reason");
  if (reason && *reason == "undefined_table") return rows;
  return refusal;
}

result<migration_state> compare(const std::vector<step_row>& rows, std::span<const embedded::file> steps) {
  std::map<std::string, const embedded::file*> by_version;
  for (const auto& step : steps) by_version.emplace(version_of(step), &step);
  migration_state found;
  for (const auto& r : rows) {
    const auto step = by_version.find(r.version);
    if (step == by_version.end())
      return error{errc::conflict, "The database was migrated by a newer version: " + r.version};
    if (checksum_of(*step->second) != r.checksum)
      return error{errc::conflict, "An applied migration has changed: " + r.version};
    found.applied.push_back(r.version);
    by_version.erase(step);
  }
  for (const auto& [version, step] : by_version) {
    if (!found.applied.empty() && version < found.applied.back())
      return error{errc::conflict, "A migration is older than the last applied one: " + version};
    found.pending.push_back(version);
  }
  return found;
}

/// Serialises migrating processes: SQLite's write lock does it there.
result<> lock(session& s) {
  if (auto ok = s.begin_write(); !ok) return ok;
  return s.script("-- postgresql: SELECT pg_advisory_xact_lock(7164182735);");
}

result<> apply(session& s, const embedded::file& step, timestamp now, const migration_failpoint& failpoint) {
  const auto version = version_of(step);
  const auto reached = [&](std::size_t n) { return failpoint ? failpoint(version, n) : result<>{}; };
  std::size_t n = 0;
  for (const auto statement : statements_of(step.content)) {
    if (auto ok = reached(n++); !ok) return ok;
    if (auto ok = s.script(statement); !ok) return ok;
  }
  if (auto ok = reached(n++); !ok) return ok;
  const auto noted = s.execute("INSERT INTO migrations (version, checksum, applied_at) VALUES ($1, $2, $3)",
                               {version, checksum_of(step), now});
  if (!noted) return noted.error();
  return reached(n);
}

/// One turn of `migrate_up`: the first pending step, seen and applied under the lock.
result<std::optional<std::string>> advance_one(session& s, timestamp now,
                                               std::span<const embedded::file> steps,
                                               const migration_failpoint& failpoint) {
  if (auto ok = s.script("CREATE TABLE IF NOT EXISTS migrations (version TEXT NOT NULL PRIMARY KEY,"
                         " checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT");
      !ok)
    return ok.error();
  const auto rows = applied_steps(s);
  if (!rows) return rows.error();
  const auto known = compare(*rows, steps);
  if (!known) return known.error();
  if (known->pending.empty()) return std::nullopt;
  for (const auto& step : steps)
    if (version_of(step) == known->pending.front())
      if (auto ok = apply(s, step, now, failpoint); !ok) return ok.error();
  return known->pending.front();
}

}  // namespace

result<migration_state> state(session& s, std::span<const embedded::file> steps) {
  const auto rows = applied_steps(s);
  if (!rows) return rows.error();
  return compare(*rows, steps);
}

result<std::vector<std::string>> migrate_up(session& s, timestamp now, std::span<const embedded::file> steps,
                                            const migration_failpoint& failpoint) {
  std::vector<std::string> applied;
  for (;;) {
    if (auto ok = lock(s); !ok) {
      s.rollback();
      return ok.error();
    }
    auto step = advance_one(s, now, steps, failpoint);
    if (!step) {
      s.rollback();
      return step.error();
    }
    if (auto ok = s.commit(); !ok) return ok.error();
    if (!*step) return applied;
    applied.push_back(**step);
  }
}

}  // namespace connectord::storage

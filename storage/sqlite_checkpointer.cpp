#include "storage/sqlite_checkpointer.hpp"

#include "base/log.hpp"

#include <sqlite3.h>

#include <memory>

namespace connectord::storage {
namespace {

/// Pages of 4 KiB. A page that many commits write is carried over once in so many.
constexpr int pages_at_once = 1000;
/// A log that is written all the time is never carried over to its end from beside: beyond so many pages the
/// writer does what little is left, and begins it anew.
constexpr int longest_log = 8000;

struct close_database {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using database = std::unique_ptr<sqlite3, close_database>;

int carry_over(sqlite3* db) {
  return sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
}

database open_file(const std::string& path) {
  sqlite3* raw = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &raw,
                                 SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, nullptr);
  database db{raw};
  if (rc != SQLITE_OK || sqlite3_exec(raw, "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr) != SQLITE_OK)
    return {};
  return db;
}

}  // namespace

sqlite_checkpointer::sqlite_checkpointer(std::string path)
    : path_(std::move(path)), thread_([this](const std::stop_token& ending) { run(ending); }) {}

void sqlite_checkpointer::follow(sqlite3* db) { sqlite3_wal_hook(db, &on_commit, this); }

int sqlite_checkpointer::on_commit(void* self, sqlite3* db, const char*, int pages) {
  auto& checkpoints = *static_cast<sqlite_checkpointer*>(self);
  if (pages >= longest_log) {
    const std::lock_guard turn{checkpoints.carrying_};
    carry_over(db);
  }
  checkpoints.grown(pages);
  return SQLITE_OK;
}

void sqlite_checkpointer::grown(int pages) {
  const std::lock_guard lock{mutex_};
  if (pages < carried_) carried_ = 0;  // the log was begun anew
  if (pages - carried_ < pages_at_once) return;
  carried_ = pages;
  due_ = true;
  wake_.notify_one();
}

void sqlite_checkpointer::run(const std::stop_token& ending) {
  database db;
  std::unique_lock lock{mutex_};
  while (wake_.wait(lock, ending, [this] { return due_; })) {
    due_ = false;
    lock.unlock();
    if (!db) db = open_file(path_);
    int rc = SQLITE_CANTOPEN;
    if (db) {
      const std::lock_guard turn{carrying_};
      rc = carry_over(db.get());
    }
    if (rc != SQLITE_OK && rc != SQLITE_BUSY) {
      log::warn("store.checkpoint_failed", {{"code", rc}});
      db.reset();
    }
    lock.lock();
  }
}

}  // namespace connectord::storage

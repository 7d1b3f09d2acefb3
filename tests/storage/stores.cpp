#include "tests/storage/stores.hpp"

#include "base/crypto.hpp"
#include "storage/connections.hpp"
#include "storage/migrate.hpp"
#include "storage/tenants.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <sys/wait.h>
#include <unistd.h>

namespace connectord::storage::testing {
namespace {

/// A server that ends with this process, unless the environment names one.
class private_server {
 public:
  private_server() {
    int ready[2], stay[2];
    if (::pipe(ready) != 0 || ::pipe(stay) != 0) throw std::runtime_error("pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ready[1], 9);
      ::dup2(stay[0], 8);
      for (const int fd : {ready[0], ready[1], stay[0], stay[1]}) ::close(fd);
      // Tells the address, then waits until our end of the pipe is closed, however we end.
      ::execl(SOURCE_DIR "/tests/support/with_postgres", "with_postgres", "bash", "-c",
              "echo \"$CONNECTORD_TEST_POSTGRESQL\" >&9; exec 9>&-; read -r <&8 || true", nullptr);
      ::_exit(127);
    }
    ::close(ready[1]);
    ::close(stay[0]);
    stay_ = stay[1];
    char c;
    while (::read(ready[0], &c, 1) == 1 && c != '\n') url_ += c;
    ::close(ready[0]);
    if (url_.empty()) throw std::runtime_error("PostgreSQL did not start");
  }
  ~private_server() {
    ::close(stay_);
    ::waitpid(pid_, nullptr, 0);
  }
  const std::string& url() const { return url_; }

 private:
  pid_t pid_ = -1;
  int stay_ = -1;
  std::string url_;
};

const std::string& server_url() {
  static const std::string url = [] {
    if (const char* named = std::getenv("CONNECTORD_TEST_POSTGRESQL")) return std::string{named};
    static const private_server server;
    return server.url();
  }();
  return url;
}

std::string within_schema(const std::string& url, const std::string& schema) {
  return url + (url.find('?') == std::string::npos ? '?' : '&') + "options=-csearch_path%3D" + schema;
}

void on_server(const std::string& sql) {
  auto server = open_store({dialect::postgresql, server_url()}, milliseconds{5000}, false);
  REQUIRE(server);
  auto s = (*server)->open();
  REQUIRE(s);
  REQUIRE((*s)->script(sql));
}

std::string unique_name() {
  auto name = "t" + uuid::random().str();
  std::erase(name, '-');
  return name;
}

}  // namespace

test_store::test_store(dialect kind, bool migrated) {
  where_.kind = kind;
  if (kind == dialect::sqlite) {
    folder_ = (std::filesystem::temp_directory_path() / unique_name()).string();
    where_.target = folder_ + "/store.db";
  } else {
    schema_ = unique_name();
    on_server("CREATE SCHEMA " + schema_);
    where_.target = within_schema(server_url(), schema_);
  }
  auto opened = open_store(where_, milliseconds{5000}, false);
  REQUIRE(opened);
  store_ = std::move(*opened);
  if (migrated) REQUIRE(migrate_up(*open(), noon));
}

test_store::~test_store() {
  store_.reset();
  if (!folder_.empty()) std::filesystem::remove_all(folder_);
  if (!schema_.empty()) on_server("SET client_min_messages TO warning; DROP SCHEMA " + schema_ + " CASCADE");
}

std::unique_ptr<session> test_store::open() {
  auto s = store_->open();
  REQUIRE(s);
  return std::move(*s);
}

tenant_id add_tenant(session& s, std::string name) {
  const tenant t{
      .id = tenant_id::make(), .slug{}, .name = std::move(name), .created_at = noon, .updated_at = noon};
  REQUIRE(insert_tenant(s, t));
  return t.id;
}

connection add_connection(session& s, tenant_id tenant, std::string external_id, std::string provider) {
  connection c;
  c.id = connection_id::make();
  c.provider = std::move(provider);
  c.external_id = std::move(external_id);
  c.identities = {{"external_id", c.external_id}};
  c.created_at = c.updated_at = noon;
  REQUIRE(insert_connection(s, tenant, c));
  REQUIRE(replace_identities(s, tenant, c));
  return c;
}

delivery sample_delivery(std::string dedupe_id, std::string body) {
  delivery d;
  d.id = delivery_id::make();
  d.receipt = receipt_id::make();
  d.provider = "github";
  d.dedupe_id = std::move(dedupe_id);
  d.headers = {{"content-type", "application/json"}, {"x-odd", "a \"quoted\"\tvalue"}};
  d.body_sha256 = to_hex(bytes_of(sha256(body)));
  d.body_bytes = static_cast<std::int64_t>(body.size());
  d.body = std::move(body);
  d.received_at = noon;
  return d;
}

signal sample_signal(const connection& c, std::string dedupe_key) {
  signal x;
  x.id = signal_id::make();
  x.provider = c.provider;
  x.connection = c.id;
  x.kind = "issue_created";
  x.entity = "o/r#1";
  x.entity_version = "2024-01-01T00:00:00Z";
  x.occurred_at = x.received_at = noon;
  x.payload = R"({"title":"ü"})";
  x.dedupe_key = std::move(dedupe_key);
  return x;
}

job sample_job(const connection& c, job_type type) {
  job j;
  j.id = job_id::make();
  j.provider = c.provider;
  j.connection = c.id;
  j.type = type;
  j.scheduled_at = j.created_at = noon;
  return j;
}

}  // namespace connectord::storage::testing

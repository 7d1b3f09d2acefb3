#pragma once

#include "domain/connection.hpp"
#include "domain/delivery.hpp"
#include "domain/job.hpp"
#include "domain/signal.hpp"
#include "storage/session.hpp"

#include <doctest/doctest.h>

#include <boost/json/serialize.hpp>

#include <memory>
#include <sstream>
#include <string>

template <class T>
struct doctest::StringMaker<boost::system::result<T, connectord::error>> {
  static String convert(const boost::system::result<T, connectord::error>& r) {
    if (r) return "a value";
    std::ostringstream out;
    out << connectord::traits_of(r.error().code()).code << ' ' << r.error().details();
    return out.str().c_str();
  }
};

/// Every suite body runs on both databases: `EACH_STORE` repeats a test with a fresh, migrated store
/// of each kind.
namespace connectord::storage::testing {

inline constexpr timestamp noon{milliseconds{1'700'000'000'000}};

/// A store of its own, gone at the end: a file, or a schema of the test server.
class test_store {
 public:
  explicit test_store(dialect kind, bool migrated = true);
  ~test_store();
  test_store(const test_store&) = delete;

  std::unique_ptr<session> open();
  store& get() { return *store_; }
  const location& where() const { return where_; }

 private:
  location where_;
  std::string folder_, schema_;
  std::unique_ptr<store> store_;
};

/// Runs `body` in one committed write transaction.
template <class F>
void commit(session& s, F body) {
  REQUIRE(s.begin_write());
  body();
  REQUIRE(s.commit());
}

template <class T>
errc code_of(const result<T>& r) {
  REQUIRE(!r.has_value());
  return r.error().code();
}
template <class T>
std::string detail_of(const result<T>& r, const char* name) {
  REQUIRE(!r.has_value());
  const error refusal = r.error();  // a copy: result hands its error out by value
  const auto* value = refusal.details().if_contains(name);
  return value ? std::string{value->as_string().c_str()} : std::string{};
}

tenant_id add_tenant(session& s, std::string name = "acme");
connection add_connection(session& s, tenant_id tenant, std::string external_id = "42",
                          std::string provider = "github");
delivery sample_delivery(std::string dedupe_id, std::string body = "{\"a\":1}");
signal sample_signal(const connection& c, std::string dedupe_key);
job sample_job(const connection& c, job_type type = job_type::webhook);

}  // namespace connectord::storage::testing

#define EACH_STORE(store)                                                             \
  connectord::storage::dialect kind_of_store{};                                       \
  SUBCASE("sqlite") { kind_of_store = connectord::storage::dialect::sqlite; }         \
  SUBCASE("postgresql") { kind_of_store = connectord::storage::dialect::postgresql; } \
  connectord::storage::testing::test_store store { kind_of_store }

#pragma once

#include "actors/protocol/message.hpp"
#include "domain/ids.hpp"

#include <any>
#include <functional>
#include <memory>
#include <optional>

namespace connectord {

namespace storage {
class session;
}

enum class access_mode { read, write };

/// A value of whatever type a job gives back. Not a bare std::any: that one swallows errors.
class job_value {
 public:
  job_value() = default;
  template <class T>
  static job_value of(T value) {
    job_value v;
    v.held_ = std::make_shared<const std::any>(std::move(value));
    return v;
  }
  template <class T>
  const T& get() const {
    return std::any_cast<const T&>(*held_);
  }
  /// The value itself, kept alive by whoever holds the pointer.
  template <class T>
  std::shared_ptr<const T> share() const {
    return {held_, &get<T>()};
  }

 private:
  std::shared_ptr<const std::any> held_;
};

struct db_answer : message {
  explicit db_answer(job_value v) : value(std::move(v)) {}
  job_value value;

  template <class T>
  const T& get() const {
    return value.get<T>();
  }
};

using db_function = std::function<result<job_value>(storage::session&)>;

/// One piece of work for the store. A write shares its COMMIT with what queued up beside it: it is
/// answered after that COMMIT, and its own refusal undoes only its own statements.
struct db_job : message {
  db_job(std::optional<tenant_id> t, access_mode m, steady_time d, db_function f)
      : tenant(t), mode(m), deadline(d), fn(std::make_shared<db_function>(std::move(f))) {}

  std::optional<tenant_id> tenant;  ///< for fairness; absent for the service's own work
  access_mode mode;
  steady_time deadline;  ///< a job that has not started by then is refused
  std::shared_ptr<db_function> fn;
};

/// Wraps a function that returns result<T>, so that the asker can `get<T>()`.
template <class Function>
db_job make_job(std::optional<tenant_id> tenant, access_mode mode, steady_time deadline, Function f) {
  return {tenant, mode, deadline, [f = std::move(f)](storage::session& s) mutable -> result<job_value> {
            auto outcome = f(s);
            if (!outcome) return outcome.error();
            if constexpr (requires { *outcome; })
              return job_value::of(std::move(*outcome));
            else
              return job_value{};
          }};
}

using store_gate_actor = typed_actor<replies<db_job, db_answer>>;  // Fair between tenants, grouped commits.

}  // namespace connectord

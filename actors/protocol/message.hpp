#pragma once

#include "actors/protocol/permit.hpp"
#include "base/result.hpp"
#include "base/time.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <concepts>
#include <cstdint>
#include <string>

namespace connectord {

/// Base of everything that actors say to each other. Never leaves the process, and CAF renders it
/// as unprintable, so that no secret reaches a log through it.
struct message {};

template <class T>
concept local_message = std::derived_from<T, message> && std::copy_constructible<T>;

template <local_message Request, local_message Reply>
using replies = typename caf::replies_to<Request>::template with<Reply>;
template <local_message Event>
using accepts = caf::reacts_to<Event>;
using caf::typed_actor;

struct done : message {};

/// Travels with each command. The fingerprint is a plain number, so it outlives the moved-out body.
struct request_meta {
  std::string trace_id;
  steady_time deadline{};
  std::uint64_t fingerprint = 0;  ///< equal for equal commands; 0 is never held against anyone
  permit admitted;
  std::string caller{};  ///< for the audit log
};

/// Last words of an actor, carried by its exit reason to whoever monitors it.
struct black_box : message {
  std::string actor;
  std::string kind;  ///< type of the message that was being handled
  std::string text;  ///< what() of the exception
  std::string trace_id;
  std::uint64_t fingerprint = 0;
};

/// Refusals travel as CAF errors of our own category; every other category is a failure of CAF's.
/// This is the one crossing point, in both directions.
caf::error as_caf(error e);
error from_caf(const caf::error& e);

}  // namespace connectord

template <connectord::local_message T>
struct caf::allowed_unsafe_message_type<T> : std::true_type {};

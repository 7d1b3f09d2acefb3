#include "actors/spawn.hpp"

#include <caf/scheduled_actor.hpp>
#include <caf/sec.hpp>

#include <boost/core/demangle.hpp>

namespace connectord {
namespace {

constexpr auto our_category = caf::atom("connectord");

/// An error of ours inside a CAF error.
struct boxed : message {
  explicit boxed(error e) : inside(std::move(e)) {}
  error inside;
};

std::string kind_of(const caf::mailbox_element* x) {
  if (x == nullptr) return "birth";
  const auto& content = const_cast<caf::mailbox_element*>(x)->content();
  if (content.empty()) return "empty";
  const auto* type = content.type(0).second;
  return type != nullptr ? boost::core::demangle(type->name()) : "builtin";
}

std::string text_of(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "not a std::exception";
  }
}

}  // namespace

caf::error as_caf(error e) {
  const auto code = static_cast<std::uint8_t>(e.code());
  return {static_cast<std::uint8_t>(code + 1), our_category, caf::make_message(boxed{std::move(e)})};
}

error from_caf(const caf::error& e) {
  if (e.category() == our_category) {
    const auto& context = e.context();
    if (context.match_elements<boxed>()) return context.get_as<boxed>(0).inside;
    return error{errc::tenant_unavailable}.retry_in(1);  // a black box: its text is for operators
  }
  if (e == caf::sec::request_timeout) return error{errc::service_unavailable}.retry_in(1);
  if (e == caf::sec::runtime_error) return error{errc::internal};
  return error{errc::tenant_unavailable}.retry_in(1);
}

void birthmark::install_handlers(caf::scheduled_actor& self) {
  self.set_exception_handler([this](caf::scheduled_actor* me, std::exception_ptr& failure) {
    black_box box;
    box.actor = signs_->card.id;
    box.kind = kind_of(me->current_mailbox_element());
    box.text = text_of(failure);
    box.fingerprint = suspect_;
    if (suspect_ != 0) box.trace_id = suspect_trace_;
    sky_.record(box);
    return caf::error{static_cast<std::uint8_t>(errc::commit_in_doubt), our_category,
                      caf::make_message(std::move(box))};
  });
  // A stray error message must not end the actor, as it would by default.
  self.set_error_handler([](caf::scheduled_actor*, caf::error&) {});
  self.set_default_handler([](caf::scheduled_actor*, caf::message_view&) {
    return caf::result<caf::message>{caf::make_error(caf::sec::unexpected_message)};
  });
}

}  // namespace connectord

#include "actors/resource_discovery.hpp"

#include "actors/calls.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <utility>

namespace connectord {

using provider::failure_class;
using provider::shortfall;

namespace {

constexpr seconds longest_pause{86'400};

}  // namespace

resource_discovery::resource_discovery(self_pointer<resource_discovery> self, services_ptr s,
                                       tenant_id tenant)
    : self_(self), services_(std::move(s)), tenant_(tenant) {}

/// Nothing was to be committed, so nothing is in doubt.
resource_discovery::~resource_discovery() { refuse(error{errc::service_unavailable}.retry_in(1)); }

resource_discovery::interface::behavior_type resource_discovery::behavior() {
  return {
      [this](discover& d) { return on_discover(d); },
      [this](const forget_found& f) {
        if (f.found == found_) found_.reset();
      },
  };
}

caf::result<tenant_outcome> resource_discovery::on_discover(discover& d) {
  if (found_ && !d.afresh && d.row.token_epoch == found_with_) return tenant_outcome{outcome{found_}};
  waiting_.emplace_back(self_);
  if (!run_) begin(std::move(d));
  return later<tenant_outcome>;
}

void resource_discovery::begin(discover d) {
  const auto& policy = services_->discovery;
  until_ = self_->clock().now() + policy.longest;
  refused_ = {};
  run_.emplace(provider::sync_run::discovery(
      *services_->catalog.find(d.row.provider), sync_context_of(*services_, d.row),
      provider::sync_limits{policy.longest, policy.resources}, services_->now()));
  asked_.emplace(std::move(d));
  proceed();
}

milliseconds resource_discovery::left() const {
  return std::max(std::chrono::duration_cast<milliseconds>(until_ - self_->clock().now()), milliseconds{1});
}

void resource_discovery::proceed() {
  auto next = run_->next();
  if (const auto* failure = std::get_if<provider::sync_failure>(&next)) return on_failure(*failure);
  call(std::move(std::get<http_request>(next)));
}

/// The token is asked for before each call: it may have been renewed, or be about to end.
void resource_discovery::call(http_request request) {
  self_->request(asked_->keeper, left(), fresh_token{refresh_cause::use, refused_.first()})
      .then([this, request = std::move(request)](const token_lent& t) { send(request, t.token); },
            [this](const caf::error& e) {
              const auto why = from_caf(e);
              if (why.code() == errc::unauthorized) return refuse(provider::tokens_refused());
              pages_ > 0 ? finish(late() ? shortfall::time : shortfall::provider_error) : refuse(why);
            });
}

void resource_discovery::send(const http_request& request, const lent_token& token) {
  if (!refused_.try_with(token)) return refuse(provider::tokens_refused());
  const auto& slug = asked_->row.provider;
  auto out = call_of(*services_, tenant_, slug,
                     provider::authorize(request, *services_->catalog.find(slug), token.access));
  out.deadline = std::min(out.deadline, std::chrono::steady_clock::now() + left());
  self_->request(services_->outbound->get(), left() + seconds{1}, std::move(out))
      .then([this](const http_answered& a) { on_answer(a.response); },
            [this](const caf::error&) { on_answer(unreachable()); });
}

void resource_discovery::on_answer(const http_response& r) {
  status_ = r.status;
  if (r.status == 401) {
    refused_.refused();
    return proceed();
  }
  auto step = run_->take(r, services_->now());
  if (std::holds_alternative<provider::sync_continues>(step)) return proceed();
  if (auto* page = std::get_if<provider::sync_page>(&step)) return on_page(std::move(*page));
  on_failure(std::get<provider::sync_failure>(step));
}

void resource_discovery::on_page(provider::sync_page page) {
  const auto& policy = services_->discovery;
  refused_.worked();
  ++pages_;
  std::ranges::move(page.resources, std::back_inserter(resources_));
  if (resources_.size() > policy.resources) {
    resources_.resize(policy.resources);
    return finish(shortfall::limit);
  }
  if (!page.more) return finish({});
  if (pages_ == policy.pages) return finish(shortfall::limit);
  if (late()) return finish(shortfall::time);
  proceed();
}

/// Whatever more tries of ours could mend ends a run that has something to show.
void resource_discovery::on_failure(const provider::sync_failure& f) {
  const auto& row = asked_->row;
  if (f.what == failure_class::unauthorized) return refuse(provider::tokens_refused());
  if (f.what == failure_class::permanent) {
    const auto client = services_->clients.find(row.provider);
    const auto wanted =
        client == services_->clients.end() ? std::vector<std::string>{} : client->second.scopes;
    return refuse(provider::access_denied(wanted, row).with("status", status_));
  }
  const bool limited = f.what == failure_class::rate_limited;
  if (limited) services_->meters.rate_limited({row.provider}).Increment();
  if (pages_ > 0)
    return finish(limited ? shortfall::rate_limited : late() ? shortfall::time : shortfall::provider_error);
  auto why = limited ? error{errc::rate_limited, "The provider asks to wait."}
                     : error{errc::provider_error, "The provider cannot be asked now: " + f.message + "."};
  const auto pause =
      std::clamp(f.hint.value_or(limited ? seconds{60} : seconds{5}), seconds{1}, longest_pause);
  refuse(
      std::move(why).with("provider", json::string{row.provider}).retry_in(static_cast<int>(pause.count())));
}

void resource_discovery::finish(std::optional<shortfall> why) {
  const auto& row = asked_->row;
  found_ = std::make_shared<const provider::discovery>(
      provider::discovery{services_->catalog.find(row.provider)->tracker->resource.type,
                          provider::arranged(std::move(resources_)), why, services_->now()});
  found_with_ = refused_.current();
  log::info("discovery.ended", {{"tenant_id", tenant_},
                                {"connection_id", row.id},
                                {"resources", found_->resources.size()},
                                {"pages", pages_},
                                {"partial", why ? name_of(*why) : std::string_view{}}});
  self_->delayed_send(self_, services_->discovery.kept, forget_found{found_});
  for (auto& w : ended()) w.deliver(tenant_outcome{outcome{found_}});
}

void resource_discovery::refuse(const error& e) {
  for (auto& w : ended()) w.refuse(e);
}

/// Who waits for the run, which is over.
std::vector<promise<tenant_outcome>> resource_discovery::ended() {
  run_.reset();
  asked_.reset();
  resources_.clear();
  pages_ = 0;
  return std::exchange(waiting_, {});
}

discovery_actor spawn_resource_discovery(cradle where, services_ptr s, const tenant_id& tenant,
                                         const connection_id& connection) {
  return spawn<resource_discovery>(where, {"discovery/" + connection.str(), "connection", {}, tenant},
                                   std::move(s), tenant);
}

}  // namespace connectord

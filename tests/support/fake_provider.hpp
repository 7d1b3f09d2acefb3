#pragma once

#include "actors/protocol/outbound.hpp"
#include "actors/spawn.hpp"
#include "base/form.hpp"
#include "base/time.hpp"
#include "domain/http.hpp"

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace connectord {

/// The provider `example` as a model: accounts with items in pages, and an authorization server whose
/// refresh tokens work once. One that comes again is forgiven within the leeway; later, the grant is gone.
class fake_provider {
 public:
  explicit fake_provider(std::function<timestamp()> now) : now_(std::move(now)) {}

  struct pair {
    std::string access, refresh;
  };
  struct grant {
    std::string refresh, before;  ///< the one that works, and the one that it replaced
    timestamp rotated{};
    bool lost = false;
    std::string account;
  };

  seconds token_life{3600}, leeway{300};
  std::size_t page_size = 2;
  std::map<std::string, std::vector<timestamp>> items;  ///< by account; an item's id is its place
  std::map<std::string, int> presented;                 ///< how often, by refresh token
  std::vector<std::string> page_calls;                  ///< whose, in the order of arrival
  std::size_t exchanges = 0, refused_calls = 0;

  pair consent(const std::string& account) {
    grants_.push_back({name("refresh"), {}, now_(), false, account});
    return {access_for(grants_.back()), grants_.back().refresh};
  }
  /// As when the user removes the app.
  void revoke(const std::string& account) {
    for (auto& g : grants_)
      if (g.account == account) g.lost = true;
  }
  void expire_access_tokens(seconds at_least_so_old = seconds{0}) {
    for (auto& [token, a] : access_)
      if (a.until - token_life + at_least_so_old <= now_()) a.until = timestamp{};
  }
  bool lost(const std::string& account) const {
    return std::ranges::any_of(grants_, [&](const grant& g) { return g.account == account && g.lost; });
  }

  /// Whose token a call carries; null for one that is refused.
  const std::string* account_of(const http_request& r) {
    const auto* bearer = &r.headers.front().second;
    for (const auto& [key, value] : r.headers)
      if (key == "authorization") bearer = &value;
    const auto known = access_.find(bearer->substr(bearer->find(' ') + 1));
    if (known != access_.end() && known->second.until > now_()) return &known->second.account;
    ++refused_calls;
    return nullptr;
  }
  http_response answer(const http_request& r) {
    return r.url.find("/oauth/token") != std::string::npos ? exchange(r) : page(r);
  }

  static http_response failed(int status) { return {status, {}, "{}", call_failure::none}; }
  static bool is_exchange(const http_request& r) { return r.url.find("/oauth/token") != std::string::npos; }
  static std::string refresh_token_of(const http_request& r) { return field(r.body, "refresh_token"); }

 private:
  struct access {
    std::string account;
    timestamp until;
  };

  std::string name(const char* kind) { return std::string{kind} + '-' + std::to_string(++last_); }
  std::string access_for(const grant& g) {
    auto token = name("access");
    access_[token] = {g.account, now_() + token_life};
    return token;
  }
  static std::string field(const std::string& form, std::string_view wanted) {
    const auto fields = form_decoded(form);
    if (!fields) return {};
    for (const auto& [key, value] : *fields)
      if (key == wanted) return value;
    return {};
  }

  http_response exchange(const http_request& r) {
    ++exchanges;
    const auto token = refresh_token_of(r);
    ++presented[token];
    for (auto& g : grants_) {
      if (g.lost || (token != g.refresh && token != g.before)) continue;
      if (token == g.refresh) {
        g.before = std::exchange(g.refresh, name("refresh"));
        g.rotated = now_();
      } else if (now_() > g.rotated + leeway) {
        g.lost = true;
        break;
      }
      json::object said{
          {"access_token", access_for(g)}, {"refresh_token", g.refresh}, {"expires_in", token_life.count()}};
      return {200, {}, json::serialize(said), call_failure::none};
    }
    return {400, {}, R"({"error":"invalid_grant"})", call_failure::none};
  }

  http_response page(const http_request& r) {
    const auto* known = account_of(r);
    if (known == nullptr) return failed(401);
    const auto& account = *known;
    page_calls.push_back(account);
    const auto query = r.url.find('?') == std::string::npos ? "" : r.url.substr(r.url.find('?') + 1);
    const auto since = parse_rfc3339(field(query, "since")).value_or(timestamp{});
    const auto number = field(query, "page");
    std::size_t skip = number.empty() ? 0 : std::stoul(number);
    json::object said;
    json::array found;
    const auto& all = items[account];
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] < since) continue;
      if (skip > 0) {
        --skip;
        continue;
      }
      if (found.size() == page_size) {
        said["next_page"] = std::to_string((number.empty() ? 0 : std::stoul(number)) + page_size);
        break;
      }
      found.push_back(json::object{{"id", account + '/' + std::to_string(i)},
                                   {"action", "created"},
                                   {"updated_at", to_rfc3339(all[i])}});
    }
    said["items"] = std::move(found);
    return {200, {}, json::serialize(said), call_failure::none};
  }

  std::function<timestamp()> now_;
  std::deque<grant> grants_;
  std::map<std::string, access> access_;
  int last_ = 0;
};

/// What happens to a call on its way out or back.
enum class passage {
  open,
  hold,         ///< reaches the provider when the test lets it go
  hold_answer,  ///< has reached the provider; its answer waits
  lose,         ///< never reaches the provider
  lose_answer,  ///< has reached the provider, and nobody hears of it
  unavailable,  ///< a 503
  limited,      ///< a 429
};

struct outbound_script {
  std::function<http_response(const http_request&)> provider;
  std::function<passage(const http_request&)> fate = [](const http_request&) { return passage::open; };
  std::size_t calls = 0;
};

struct let_go : message {};

/// Stands in for the way out: asks the test's provider, or does what its script says.
class scripted_outbound {
 public:
  using handle = typed_actor<replies<send_request, http_answered>, accepts<let_go>>;
  using interface = handle;
  static constexpr const char* name = "scripted_outbound";

  scripted_outbound(self_pointer<scripted_outbound> self, outbound_script* script)
      : self_(self), script_(script) {}

  interface::behavior_type behavior() {
    return {
        [this](const send_request& r) -> caf::result<http_answered> {
          ++script_->calls;
          switch (script_->fate(r.request)) {
            case passage::open: return http_answered{script_->provider(r.request)};
            case passage::hold: return keep([this, q = r.request] { return script_->provider(q); });
            case passage::hold_answer: return keep([a = script_->provider(r.request)] { return a; });
            case passage::lose: break;
            case passage::lose_answer: script_->provider(r.request); break;
            case passage::unavailable: return http_answered{fake_provider::failed(503)};
            case passage::limited: return http_answered{fake_provider::failed(429)};
          }
          http_response none;
          none.failure = call_failure::timeout;
          return http_answered{none};
        },
        [this](const let_go&) {
          if (held_.empty()) return;
          auto [answer, reply] = std::move(held_.front());
          held_.pop_front();
          reply.deliver(http_answered{answer()});
        },
    };
  }

 private:
  caf::result<http_answered> keep(std::function<http_response()> answer) {
    held_.emplace_back(std::move(answer), promise<http_answered>{self_});
    return later<http_answered>;
  }

  self_pointer<scripted_outbound> self_;
  outbound_script* script_;
  std::deque<std::pair<std::function<http_response()>, promise<http_answered>>> held_;
};

}  // namespace connectord

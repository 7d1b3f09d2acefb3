#pragma once

#include "base/json.hpp"
#include "base/secret.hpp"
#include "domain/http.hpp"
#include "domain/mail_spam.hpp"
#include "domain/provider/definition.hpp"
#include "domain/provider/draft_signal.hpp"
#include "domain/provider/tracker_issue.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace connectord::provider {

/// What a run has to know of its connection and of the settings.
struct sync_context {
  std::string external_id;
  json::object metadata;
  std::string region, client_id;                ///< as in `account_scope`
  std::optional<std::string> api_base;          ///< POBLYSH_<P>_API_BASE
  std::map<std::string, std::string> settings;  ///< the provider's own, by key
  mail_spam_settings mail;
  /// Offset of a zone ("Europe/Berlin") from UTC at a time; may be empty. A zone that it does not know
  /// is asked for with a margin of half a day.
  std::function<std::optional<seconds>(std::string_view zone, timestamp at)> utc_offset;
};

struct sync_limits {
  seconds longest{300};
  std::size_t items = 5000;
};

/// A mail that gives no signal; goes to the log.
struct rejected_mail {
  double score = 0;
  std::string_view reason;
};

/// To be committed in one transaction: signals, issues and the checkpoint.
struct sync_page {
  std::vector<draft_signal> signals;        ///< in the provider's order; storage suppresses what it knows
  std::vector<tracker_issue> issues;        ///< of a provider that is a tracker
  std::vector<tracker_resource> resources;  ///< of a discovery, which gives nothing else
  std::vector<rejected_mail> rejected;
  std::string cursor;          ///< a JSON object; a later run with it goes on behind this page
  std::size_t items = 0;       ///< that the provider returned
  std::size_t unmapped = 0;    ///< items that no rule knows
  bool moved = false;          ///< `cursor` differs from the one before
  bool more = false;           ///< the run goes on with `next()`
  bool limit_reached = false;  ///< with `more`: stop here, a follow-up run takes the cursor
};

/// The same call can be made again: a failure changes nothing in the run.
struct sync_failure {
  failure_class what = failure_class::transient;
  std::optional<seconds> hint;  ///< pause that the provider asks for
  std::string message;          ///< nothing of the provider's own text
  bool no_progress = false;     ///< transient, because pages repeat: counts as a run without progress
};

/// Nothing to commit yet; the next call belongs to the same page.
struct sync_continues {};

using sync_step = std::variant<sync_continues, sync_page, sync_failure>;

/// One run over all streams of a definition, page by page. It does no I/O:
///
///   for (;;) {
///     auto request = run.next();            // http_request without credentials, or sync_failure
///     auto answer = …authorize(request, definition, token) is sent…
///     auto step = run.take(answer, now);    // sync_page: commit it; stop unless more and in the limits
///   }
///
/// After a 401 the caller may refresh the token and call `next()` again.
class sync_run {
 public:
  /// `cursor`: what an earlier run left, or empty; one that is not understood counts as empty. The
  /// definition has a `sync` section and outlives the run.
  sync_run(const definition& provider, sync_context context, std::string_view cursor, sync_limits limits,
           timestamp now);
  /// The run that lists what issues can belong to, from the start. The definition says how.
  static sync_run discovery(const definition& provider, sync_context context, sync_limits limits,
                            timestamp now);

  sync_run(sync_run&&) noexcept;
  sync_run& operator=(sync_run&&) noexcept;
  ~sync_run();

  std::variant<http_request, sync_failure> next();
  /// What the answer to the last call brought.
  sync_step take(const http_response& answer, timestamp now);

  /// The provider returned new items or repeated its pages, and the cursor is where it was at the start.
  bool without_progress() const;

 private:
  class runner;
  explicit sync_run(std::unique_ptr<runner> runner);
  std::unique_ptr<runner> runner_;
};

/// The request with the token in the form that the provider wants.
http_request authorize(http_request request, const definition& provider, const secret& access_token);

}  // namespace connectord::provider

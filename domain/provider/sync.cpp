#include "domain/provider/sync.hpp"

#include "base/crypto.hpp"
#include "domain/provider/draft.hpp"
#include "domain/provider/outcome.hpp"
#include "domain/provider/read_issue.hpp"
#include "domain/provider/sync_call.hpp"
#include "domain/provider/url.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace connectord::provider {
namespace {

constexpr std::string_view resume_member = "resume";

std::optional<std::string> text_of(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) return std::nullopt;
  return std::string{value->get_string()};
}

std::optional<timestamp> time_of(const json::object& from, std::string_view name) {
  const auto text = text_of(from, name);
  return text ? parse_rfc3339(*text) : std::nullopt;
}

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t out = 0;
  const auto* const last = text.data() + text.size();
  const auto [end, failure] = std::from_chars(text.data(), last, out);
  return failure == std::errc{} && end == last ? std::optional{out} : std::nullopt;
}

bool looks_up_digest(const choice& any) {
  return std::ranges::any_of(any, [](const text_template& t) {
    return std::ranges::any_of(t.pieces,
                               [](const auto& p) { return p.value && p.value->root == lookup_root::digest; });
  });
}

bool is_utc(std::string_view zone) {
  constexpr std::string_view names[]{"UTC",     "Etc/UTC", "Etc/GMT", "GMT",
                                     "Etc/UCT", "UCT",     "Zulu",    "Etc/Zulu"};
  return std::ranges::find(names, zone) != std::end(names);
}

sync_failure malformed(std::string message) {
  return {failure_class::transient, std::nullopt, std::move(message), false};
}

const choice& label_of_items() {
  static const choice label{*parse_template("sync.{$event}")};
  return label;
}

mail_view mail_of(const mail_facts& facts, const scene& s) {
  constexpr std::size_t most = 256;
  mail_view out;
  out.from = render(facts.from, s).value_or("");
  out.subject = render(facts.subject, s).value_or("");
  if (facts.labels) texts_at(*facts.labels, s, most, out.labels);
  if (facts.attachments) texts_at(*facts.attachments, s, most, out.attachments);
  out.html = !facts.html.empty() && holds(facts.html, s);
  dom::array headers;
  const auto list = facts.headers ? element_at(*facts.headers, s) : std::nullopt;
  if (!list || list->get_array().get(headers) != simdjson::SUCCESS) return out;
  out.headers.emplace();
  for (const dom::element header : headers) {
    std::string_view name, value;
    if (header["name"].get(name) == simdjson::SUCCESS && header["value"].get(value) == simdjson::SUCCESS)
      out.headers->emplace_back(filtered(text_filter::lower, name), value);
  }
  return out;
}

/// Where a run stands in a stream; what a cursor says under `resume`.
struct position {
  std::size_t stream = 0;
  std::optional<std::string> page;    ///< token of the page to ask for; nothing: the first
  std::optional<std::string> answer;  ///< cursor that an answer brought
  std::optional<timestamp> newest;    ///< of the items up to here
  timestamp began{};                  ///< `now` in the stream's requests
};

/// An item whose details are still to be asked for, as JSON texts.
struct pending_item {
  std::string event, item, record;  ///< record: empty without parts
  std::size_t place = 0;            ///< in `open_page::drafts`
};

/// A page of the provider that is not handed out yet.
struct open_page {
  std::optional<std::string> next;
  std::vector<std::vector<draft_signal>> drafts;  ///< of each item
  std::vector<pending_item> pending;
  std::size_t next_pending = 0, items = 0, unmapped = 0;
  bool reached_known = false;  ///< newest first: an item was before `since`
  std::vector<rejected_mail> rejected;
  std::vector<tracker_issue> issues;
  std::vector<tracker_resource> resources;
};

}  // namespace

class sync_run::runner {
 public:
  runner(const definition& provider, const sync_facts& facts, sync_context context, std::string_view cursor,
         sync_limits limits, timestamp now)
      : provider_(provider), facts_(facts), context_(std::move(context)), limits_(limits), started_(now) {
    if (auto values = url_values(
            provider_, {context_.region, context_.client_id, context_.external_id, &context_.metadata}))
      account_ = std::move(*values);
    own_ = render_over(facts_.own, account_).value_or("");
    if (auto stored = parse_json_object(cursor)) kept_ = std::move(*stored);
    json::object resumed;
    if (auto* at = kept_.if_contains(resume_member); at != nullptr && at->is_object())
      resumed = at->get_object();
    kept_.erase(resume_member);
    begin_stream(0);
    resume(resumed);
    first_cursor_ = cursor_ = cursor_text();
  }

  std::variant<http_request, sync_failure> next();
  sync_step take(const http_response& answer, timestamp now);
  bool without_progress() const { return repeated_ || (new_items_ > 0 && cursor_ == first_cursor_); }

 private:
  enum class phase : std::uint8_t { zone, list, details };

  bool discovers() const { return &facts_ != &*provider_.sync; }
  const stream_facts& stream() const { return facts_.streams[at_.stream]; }
  phase phase_now() const {
    if (open_.next_pending < open_.pending.size()) return phase::details;
    return stream().since.zone && mark_ && !zone_asked_ ? phase::zone : phase::list;
  }
  const request_facts& request_now() const;
  scene scene_of(const http_response& answer, timestamp now) const;

  void begin_stream(std::size_t index);
  void resume(const json::object& from);
  std::string cursor_text() const;
  json::object values() const;
  std::optional<std::string> page_value() const;
  seconds overlap() const;
  /// A page token, or the cursor of an answer: something that the provider can refuse.
  bool asked_with_cursor() const { return at_.page || (stream().cursor.answer && !baseline_); }

  sync_step take_zone(const scene& s);
  sync_step take_list(const http_response& answer, const scene& s, timestamp now);
  sync_step take_detail(const pending_item& item, scene& s, timestamp now);
  sync_step restart_without_cursor();
  sync_step finish_page(timestamp now);
  void finish_stream();

  void read_cursor(const scene& s);
  std::optional<std::string> read_records(const scene& answer, timestamp now);
  std::optional<std::string> read_record(const dom::element& record, scene& s, timestamp now);
  std::optional<std::string> read_item(const dom::element& item, scene& s, timestamp now);
  std::optional<std::string> apply_rules(scene& s, timestamp now, std::vector<draft_signal>& out);
  std::optional<std::string> read_resource(const scene& s);
  std::optional<std::string> next_page(const http_response& answer, const scene& s) const;

  const definition& provider_;
  const sync_facts& facts_;
  sync_context context_;
  sync_limits limits_;
  timestamp started_;
  json::object account_;  ///< of `url_values`
  std::string own_;

  json::object kept_;                  ///< members of the cursor that outlive a run
  std::string first_cursor_, cursor_;  ///< canonical
  position at_;
  std::optional<timestamp> mark_;  ///< the cursor before this run, where it is a time
  bool baseline_ = false;
  bool zone_asked_ = false;
  std::optional<std::string> zone_;
  bool cursor_refused_ = false, repeated_ = false;
  std::set<std::string, std::less<>> seen_pages_;  ///< of this stream
  open_page open_;
  std::string origin_;  ///< of the last call
  std::size_t all_items_ = 0, new_items_ = 0;
};

// ---- where the run stands

void sync_run::runner::begin_stream(std::size_t index) {
  at_ = position{.stream = index, .page = {}, .answer = {}, .newest = {}, .began = started_};
  seen_pages_.clear();
  if (index == facts_.streams.size()) return;
  const auto& cursor = stream().cursor;
  baseline_ = stream().baseline && !text_of(kept_, cursor.name);
  mark_ = cursor.answer ? std::nullopt : time_of(kept_, cursor.name);
  if (baseline_ && stream().baseline->from_now) mark_ = at_.began;
}

void sync_run::runner::resume(const json::object& from) {
  const auto name = text_of(from, "stream");
  const auto found = std::ranges::find_if(facts_.streams, [&](const auto& s) { return s.name == name; });
  if (found == facts_.streams.end()) return;
  begin_stream(static_cast<std::size_t>(found - facts_.streams.begin()));
  at_.page = text_of(from, "page");
  if (!at_.page) return;
  seen_pages_.insert(*at_.page);
  at_.answer = text_of(from, "answer");
  at_.newest = time_of(from, "newest");
  at_.began = time_of(from, "began").value_or(started_);
}

std::string sync_run::runner::cursor_text() const {
  auto out = kept_;
  if (at_.stream < facts_.streams.size() && (at_.stream > 0 || at_.page)) {
    json::object resume{{"stream", stream().name}};
    if (at_.page) {
      resume["page"] = *at_.page;
      resume["began"] = to_rfc3339(at_.began);
    }
    if (at_.answer) resume["answer"] = *at_.answer;
    if (at_.newest) resume["newest"] = to_rfc3339(*at_.newest);
    out[resume_member] = std::move(resume);
  }
  return canonical_json(out);
}

// ---- asking

const request_facts& sync_run::runner::request_now() const {
  switch (phase_now()) {
    case phase::zone: return *stream().since.zone;
    case phase::details: return stream().detail->request;
    case phase::list: break;
  }
  return baseline_ && stream().baseline->request ? *stream().baseline->request : stream().request;
}

seconds sync_run::runner::overlap() const {
  const auto& since = stream().since;
  const auto own = context_.settings.find(since.overlap_key);
  const auto count = own == context_.settings.end() ? std::nullopt : number_of(own->second);
  return count ? seconds{*count} : since.overlap;
}

std::optional<std::string> sync_run::runner::page_value() const {
  if (at_.page || stream().page.how != paging::count) return at_.page;
  return std::to_string(stream().page.first);
}

json::object sync_run::runner::values() const {
  auto out = account_;
  out["cursor"] = kept_;
  out["now"] = to_rfc3339(at_.began);
  if (const auto page = page_value()) out["page"] = *page;
  if (mark_) {
    const auto since = *mark_ - overlap();
    auto offset = zone_ && is_utc(*zone_) ? std::optional{seconds{0}} : std::nullopt;
    if (zone_ && !offset && context_.utc_offset) offset = context_.utc_offset(*zone_, since);
    out["since"] = since_text(stream().since.format, since, offset);
  }
  return out;
}

std::variant<http_request, sync_failure> sync_run::runner::next() {
  if (repeated_)
    return sync_failure{failure_class::transient, std::nullopt, "the provider repeats a page", true};
  const auto& request = request_now();
  const bool details = phase_now() == phase::details;
  const auto item = details ? std::string_view{open_.pending[open_.next_pending].item} : std::string_view{};
  auto built = build_call(request, {values(), item, context_.api_base, facts_.headers});
  if (!built)
    return sync_failure{failure_class::permanent, std::nullopt, std::string{built.error().message()}, false};
  origin_ = origin_of(built->url);
  if (phase_now() != phase::list || stream().page.how != paging::link || !at_.page) return std::move(*built);
  // A stored link may come from before the origin was configured anew; the token goes to no other.
  if (origin_of(*at_.page) == origin_)
    built->url = *at_.page;
  else
    at_.page.reset();
  return std::move(*built);
}

// ---- taking answers

scene sync_run::runner::scene_of(const http_response& answer, timestamp now) const {
  return {.headers = answer.headers,
          .body = parse_document(answer.body, parser_slot::body),
          .data = {},
          .event = stream().name,
          .digest = {},
          .time = {},
          .received = to_rfc3339_seconds(now),
          .unix_time = {},
          .status = std::to_string(answer.status),
          .since = mark_ ? to_rfc3339(*mark_) : std::string{},
          .own = own_};
}

sync_step sync_run::runner::take(const http_response& answer, timestamp now) {
  auto s = scene_of(answer, now);
  const auto step = phase_now();
  if (step == phase::details) {
    const auto& gone = stream().detail->gone;
    if (!gone.empty() && holds(gone, s)) {
      ++open_.next_pending;
      return finish_page(now);
    }
  }
  if (step == phase::list && asked_with_cursor() && !stream().invalid_cursor.empty() &&
      holds(stream().invalid_cursor, s))
    return restart_without_cursor();
  if (auto outcome = outcome_of(facts_, answer, s, now))
    return sync_failure{outcome->what, outcome->hint, std::move(outcome->message), false};
  if (!s.body) return malformed("the answer is not JSON");
  switch (step) {
    case phase::zone: return take_zone(s);
    case phase::details: return take_detail(open_.pending[open_.next_pending], s, now);
    case phase::list: break;
  }
  return take_list(answer, s, now);
}

sync_step sync_run::runner::take_zone(const scene& s) {
  zone_ = stream().since.zone_name ? text_at(*stream().since.zone_name, s) : std::nullopt;
  zone_asked_ = true;
  return sync_continues{};
}

/// The cursor is dropped once a run; a second refusal is the provider's trouble.
sync_step sync_run::runner::restart_without_cursor() {
  if (cursor_refused_) return malformed("the provider refuses its own cursor");
  cursor_refused_ = true;
  if (stream().cursor.answer) kept_.erase(stream().cursor.name);
  open_ = {};
  begin_stream(at_.stream);
  return sync_continues{};
}

sync_step sync_run::runner::take_list(const http_response& answer, const scene& s, timestamp now) {
  open_ = {};
  read_cursor(s);
  if (!baseline_)
    if (auto problem = read_records(s, now)) return malformed(std::move(*problem));
  if (!(baseline_ && at_.answer) && !open_.reached_known) open_.next = next_page(answer, s);
  if (!open_.next && stream().cursor.answer && !at_.answer)
    return malformed("the last page lacks " + stream().cursor.answer->text);
  if (open_.next && stream().page.how == paging::link && origin_of(*open_.next) != origin_)
    return malformed("the next page is at another origin");
  return finish_page(now);
}

/// The first answer that has a cursor decides: what changed after it is read again rather than missed.
void sync_run::runner::read_cursor(const scene& s) {
  if (at_.answer) return;
  const auto& baseline = stream().baseline;
  if (baseline_ && baseline->from_now)
    at_.answer = to_rfc3339(at_.began);
  else if (const auto& at = baseline_ && baseline->answer ? baseline->answer : stream().cursor.answer)
    at_.answer = text_at(*at, s);
}

std::optional<std::string> sync_run::runner::next_page(const http_response& answer, const scene& s) const {
  const auto& page = stream().page;
  switch (page.how) {
    case paging::none: break;
    case paging::link: return next_link(answer);
    case paging::token:
      return page.more.empty() || holds(page.more, s) ? text_at(*page.token, s) : std::nullopt;
    case paging::count: {
      if (static_cast<std::int64_t>(open_.items) < page.page_size) break;
      const auto here = number_of(*page_value());
      return std::to_string(here.value_or(page.first) + page.step);
    }
  }
  return std::nullopt;
}

// ---- items

std::optional<std::string> sync_run::runner::read_records(const scene& answer, timestamp now) {
  const auto found = element_at(stream().records, answer);
  if (!found && stream().records_optional) return std::nullopt;
  dom::array records;
  if (!found || found->get_array().get(records) != simdjson::SUCCESS)
    return stream().records.text + " is not an array";
  auto s = answer;  // the items take the place of its body
  for (const dom::element record : records)
    if (auto problem = read_record(record, s, now)) return problem;
  return std::nullopt;
}

std::optional<std::string> sync_run::runner::read_record(const dom::element& record, scene& s,
                                                         timestamp now) {
  if (!record.is_object()) return "an item is not an object";
  s.body = record;
  s.data.reset();
  s.event = stream().name;
  ++open_.items;
  const auto time = first_time(stream().cursor.newest, s);
  if (stream().page.newest_first && time && mark_ && *time < *mark_ - overlap()) {
    open_.reached_known = true;
    return std::nullopt;
  }
  if (time) at_.newest = std::max(at_.newest.value_or(timestamp{}), *time <= now + max_ahead ? *time : now);
  if (!time || !mark_ || *time > *mark_) ++new_items_;
  if (stream().parts.empty()) return read_item(record, s, now);
  for (const auto& part : stream().parts) {
    dom::array items;
    if (record[part].get_array().get(items) != simdjson::SUCCESS) continue;
    for (const dom::element item : items) {
      s.body = item;
      s.data = record;
      s.event = part;
      if (auto problem = read_item(item, s, now)) return problem;
    }
  }
  return std::nullopt;
}

std::optional<std::string> sync_run::runner::read_item(const dom::element& item, scene& s, timestamp now) {
  auto& drafts = open_.drafts.emplace_back();
  if (!stream().detail || !holds(stream().detail->when, s)) return apply_rules(s, now, drafts);
  open_.pending.push_back({.event = s.event,
                           .item = simdjson::minify(item),
                           .record = s.data ? simdjson::minify(*s.data) : std::string{},
                           .place = open_.drafts.size() - 1});
  return std::nullopt;
}

sync_step sync_run::runner::take_detail(const pending_item& item, scene& s, timestamp now) {
  s.event = item.event;
  const auto& beside = item.record.empty() ? item.item : item.record;
  s.data = parse_document(beside, parser_slot::envelope);
  if (auto problem = apply_rules(s, now, open_.drafts[item.place])) return malformed(std::move(*problem));
  ++open_.next_pending;
  return finish_page(now);
}

std::optional<std::string> sync_run::runner::read_resource(const scene& s) {
  auto found = tracker_resource_of(provider_.tracker->resource, s);
  if (!found) return "a resource has no id";
  open_.resources.push_back(std::move(*found));
  return std::nullopt;
}

/// What is wrong with the item, if anything is.
std::optional<std::string> sync_run::runner::apply_rules(scene& s, timestamp now,
                                                         std::vector<draft_signal>& out) {
  if (discovers()) return read_resource(s);
  if (const auto& tracker = provider_.tracker)
    if (auto issue = tracker_issue_of(*tracker, tracker->sync, s)) open_.issues.push_back(std::move(*issue));
  const auto fits = std::ranges::find_if(stream().rules, [&](const rule& r) { return holds(r.when, s); });
  if (fits == stream().rules.end()) ++open_.unmapped;
  if (fits == stream().rules.end() || fits->effect != rule_effect::signal) return std::nullopt;
  if (fits->spam_check && facts_.mail) {
    const auto verdict = judge_mail(mail_of(*facts_.mail, s), facts_.mail->factor, context_.mail);
    if (verdict.spam) {
      open_.rejected.push_back({verdict.score, verdict.reason});
      return std::nullopt;
    }
  }
  const auto& as = facts_.shapes[fits->shape];
  if (looks_up_digest(as.entity) || !first_time(as.occurred_at, s))
    s.digest = to_hex(bytes_of(sha256(simdjson::minify(*s.body))));
  return draft({provider_.slug, label_of_items(), now, {}}, as, fits->kind, s, out);
}

// ---- handing a page out

sync_step sync_run::runner::finish_page(timestamp now) {
  if (open_.next_pending < open_.pending.size()) return sync_continues{};
  sync_page out;
  for (auto& drafts : open_.drafts) std::ranges::move(drafts, std::back_inserter(out.signals));
  out.issues = std::move(open_.issues);
  out.resources = std::move(open_.resources);
  out.rejected = std::move(open_.rejected);
  out.items = open_.items;
  out.unmapped = open_.unmapped;
  all_items_ += open_.items;
  const auto before = cursor_;
  if (!open_.next) {
    finish_stream();
  } else if (!seen_pages_.insert(*open_.next).second) {
    repeated_ = true;
  } else {
    at_.page = std::move(open_.next);
  }
  open_ = {};
  if (!repeated_) cursor_ = cursor_text();
  out.cursor = cursor_;
  out.moved = cursor_ != before;
  out.more = repeated_ || at_.stream < facts_.streams.size();
  out.limit_reached = out.more && (all_items_ >= limits_.items || now - started_ >= limits_.longest);
  return out;
}

void sync_run::runner::finish_stream() {
  const auto& name = stream().cursor.name;
  if (at_.answer)
    kept_[name] = *at_.answer;
  else if (at_.newest)
    kept_[name] = to_rfc3339(std::max(*at_.newest, mark_.value_or(*at_.newest)));
  begin_stream(at_.stream + 1);
}

// ---- the face of it

sync_run::sync_run(const definition& provider, sync_context context, std::string_view cursor,
                   sync_limits limits, timestamp now)
    : runner_(std::make_unique<runner>(provider, *provider.sync, std::move(context), cursor, limits, now)) {}
sync_run::sync_run(std::unique_ptr<runner> runner) : runner_(std::move(runner)) {}
sync_run sync_run::discovery(const definition& provider, sync_context context, sync_limits limits,
                             timestamp now) {
  return sync_run{std::make_unique<runner>(provider, provider.tracker->resource.discover, std::move(context),
                                           "", limits, now)};
}
sync_run::sync_run(sync_run&&) noexcept = default;
sync_run& sync_run::operator=(sync_run&&) noexcept = default;
sync_run::~sync_run() = default;

std::variant<http_request, sync_failure> sync_run::next() { return runner_->next(); }
sync_step sync_run::take(const http_response& answer, timestamp now) { return runner_->take(answer, now); }
bool sync_run::without_progress() const { return runner_->without_progress(); }

http_request authorize(http_request request, const definition& provider, const secret& access_token) {
  const std::string scheme = provider.oauth ? provider.oauth->token_scheme : "Bearer";
  request.headers.emplace_back("authorization", scheme + " " + std::string{access_token.reveal()});
  return request;
}

}  // namespace connectord::provider

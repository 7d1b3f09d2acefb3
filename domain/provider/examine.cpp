#include "domain/provider/examine.hpp"

#include "base/crypto.hpp"
#include "domain/provider/draft.hpp"
#include "domain/provider/evaluate.hpp"
#include "domain/provider/read_issue.hpp"

#include <algorithm>

namespace connectord::provider {
namespace {

constexpr std::size_t max_batch = 1000, max_candidates = 64;
constexpr std::size_t max_name = 255;  // bytes

/// Value of one field of a form body, decoded.
std::optional<std::string> form_value(std::string_view form, std::string_view field) {
  while (!form.empty()) {
    const auto end = std::min(form.find('&'), form.size());
    const auto pair = form.substr(0, end);
    form.remove_prefix(std::min(end + 1, form.size()));
    if (!pair.starts_with(field) || pair.substr(field.size(), 1) != "=") continue;
    std::string out;
    for (std::size_t i = field.size() + 1; i < pair.size(); ++i) {
      if (pair[i] == '%') {
        const auto byte = from_hex(pair.substr(i + 1, 2));
        if (!byte || byte->empty()) return std::nullopt;
        out += *byte;
        i += 2;
      } else {
        out.push_back(pair[i] == '+' ? ' ' : pair[i]);
      }
    }
    return out;
  }
  return std::nullopt;
}

bool is_form(const header_list& headers) {
  const auto type = header_text(headers, "content-type");
  return type && filtered(text_filter::lower, *type).starts_with("application/x-www-form-urlencoded");
}

std::optional<dom::element> unwrapped(const lookup& envelope, const scene& s) {
  const auto text = text_at(envelope, s);
  if (!text) return std::nullopt;
  const auto inside = from_base64(*text);
  return inside ? parse_document(*inside, parser_slot::envelope) : std::nullopt;
}

std::vector<identity> candidates_of(const std::vector<identity_source>& sources, const scene& s) {
  std::vector<identity> out;
  std::vector<std::string> values;
  for (const auto& source : sources) {
    values.clear();
    texts_at(source.from, s, max_candidates, values);
    for (auto& value : values) {
      identity found{source.kind, std::move(value)};
      if (found.value.size() <= max_name && std::ranges::find(out, found) == out.end() &&
          out.size() < max_candidates)
        out.push_back(std::move(found));
    }
  }
  return out;
}

std::string event_of(const webhook_facts& webhook, const scene& s) {
  for (const auto& one : webhook.events)
    if (holds(one.when, s))
      if (auto name = bounded(render(one.name, s), max_name)) return std::move(*name);
  return {};
}

class examiner {
 public:
  examiner(const definition& provider, const webhook_request& request, bool with_issues, examination& out)
      : provider_(provider),
        webhook_(provider.webhook),
        request_(request),
        with_issues_(with_issues && provider.tracker),
        out_(out),
        scene_{.headers = request.headers,
               .body = {},
               .data = {},
               .event = {},
               .digest = {},
               .time = {},
               .received = to_rfc3339_seconds(request.received_at),
               .unix_time = {}} {}

  void run() {
    out_.body_sha256 = to_hex(bytes_of(sha256(request_.body)));
    scene_.digest = out_.body_sha256;
    read_body();
    if (webhook_.challenge && holds(webhook_.challenge->when, scene_))
      if ((out_.challenge = render(webhook_.challenge->name, scene_))) return;
    read_names();
    read_events();
  }

 private:
  void read_body() {
    text_ = request_.body;
    scene_.body = parse_document(text_, parser_slot::body);
    out_.body_is_json = scene_.body.has_value();
    if (!scene_.body && webhook_.form_field && is_form(request_.headers)) {
      form_text_ = form_value(request_.body, *webhook_.form_field).value_or("");
      text_ = form_text_;
      scene_.body = parse_document(text_, parser_slot::body);
    }
    if (webhook_.envelope) scene_.data = unwrapped(*webhook_.envelope, scene_);
  }

  void read_names() {
    out_.provider_delivery_id = bounded(render(webhook_.delivery_id, scene_), max_name);
    out_.dedupe_id = out_.provider_delivery_id.value_or(out_.body_sha256);
    out_.candidates = candidates_of(webhook_.identities, scene_);
    if (webhook_.connection_id) out_.connection_hint = text_at(*webhook_.connection_id, scene_);
  }

  void read_events() {
    if (!webhook_.batch) {
      if (auto problem = read_event()) fail(std::move(*problem));
      return;
    }
    dom::array items;
    const auto list = element_at(*webhook_.batch, scene_);
    if (!list || list->get_array().get(items) != simdjson::SUCCESS) return fail("the batch is not an array");
    if (items.size() > max_batch) return fail("the batch is too long");
    std::size_t index = 0;
    for (const dom::element item : items) {
      scene_.body = item;
      if (auto problem = read_event()) fail("item " + std::to_string(index) + ": " + *problem);
      ++index;
    }
    // One bad item must not cost the good ones their signals; `error` still names it.
    if (!out_.signals.empty() || out_.queues_sync || out_.revokes_connection)
      out_.outcome = delivery_status::processed;
  }

  void fail(std::string why) {
    out_.outcome = delivery_status::failed;
    if (!out_.error) out_.error = std::move(why);
  }

  /// What is wrong with the event, if anything is.
  std::optional<std::string> read_event() {
    if (webhook_.body_required && !(scene_.body && scene_.body->is_object()))
      return "the body is not a JSON object";
    if (webhook_.envelope && !(scene_.data && scene_.data->is_object()))
      return webhook_.envelope->text + " holds no JSON object in base64";
    scene_.event.clear();
    scene_.event = event_of(webhook_, scene_);
    if (!scene_.event.empty() && !out_.event_type) out_.event_type = scene_.event;
    if (scene_.event.empty() && webhook_.event_required) return "the event type is missing";
    if (with_issues_) read_issue();
    const auto fits =
        std::ranges::find_if(webhook_.rules, [&](const rule& r) { return holds(r.when, scene_); });
    if (fits == webhook_.rules.end()) {
      out_.unmapped = true;
      return std::nullopt;
    }
    return apply(*fits);
  }

  void read_issue() {
    const auto& tracker = *provider_.tracker;
    if (auto issue = tracker_issue_of(tracker, tracker.webhook, scene_))
      out_.issues.push_back(std::move(*issue));
  }

  std::optional<std::string> apply(const rule& r) {
    switch (r.effect) {
      case rule_effect::ignore: return std::nullopt;
      case rule_effect::queue_sync: out_.queues_sync = true; break;
      case rule_effect::revoke_connection: out_.revokes_connection = true; break;
      case rule_effect::signal:
        if (auto problem = draft(facts(), webhook_.shapes[r.shape], r.kind, scene_, out_.signals))
          return problem;
        break;
    }
    if (out_.outcome != delivery_status::failed) out_.outcome = delivery_status::processed;
    return std::nullopt;
  }

  draft_facts facts() const {
    return {provider_.slug, webhook_.label, request_.received_at,
            webhook_.batch ? std::string_view{} : text_};
  }

  const definition& provider_;
  const webhook_facts& webhook_;
  const webhook_request& request_;
  bool with_issues_;
  examination& out_;
  scene scene_;
  std::string_view text_;  ///< that `scene_.body` was parsed from
  std::string form_text_;
};

void metadata_texts(const json::value& from, const lookup& at, std::size_t step,
                    std::vector<std::string>& out) {
  if (step < at.steps.size() && at.steps[step].how == path_step::kind::key) {
    const auto* object = from.if_object();
    if (const auto* next = object == nullptr ? nullptr : object->if_contains(at.steps[step].name))
      metadata_texts(*next, at, step + 1, out);
  } else if (step < at.steps.size() && at.steps[step].how == path_step::kind::each) {
    if (const auto* items = from.if_array())
      for (const auto& item : *items) metadata_texts(item, at, step + 1, out);
  } else if (step == at.steps.size()) {
    std::string text;
    if (const auto* string = from.if_string())
      text = filtered(at.filter, {string->data(), string->size()});
    else if (const auto* number = from.if_int64())
      text = std::to_string(*number);
    if (!text.empty()) out.push_back(std::move(text));
  }
}

}  // namespace

examination examine(const definition& provider, const webhook_request& request, bool with_issues) {
  examination out;
  examiner{provider, request, with_issues, out}.run();
  return out;
}

std::vector<identity> identities_of(const definition& provider, std::string_view external_id,
                                    const json::object& metadata) {
  const bool lower = provider.webhook.external_id_in_lower_case();
  std::vector<identity> out{
      {"external_id", filtered(lower ? text_filter::lower : text_filter::none, external_id)}};
  const json::value root(metadata);  // braces would make an array
  for (const auto& source : provider.webhook.metadata_identities) {
    std::vector<std::string> values;
    metadata_texts(root, source.from, 0, values);
    for (auto& value : values) {
      identity found{source.kind, std::move(value)};
      if (std::ranges::find(out, found) == out.end()) out.push_back(std::move(found));
    }
  }
  return out;
}

}  // namespace connectord::provider

#include "domain/grounding.hpp"

#include "base/crypto.hpp"
#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace connectord::grounding {
namespace {

using words = std::initializer_list<std::string_view>;

constexpr std::size_t most_words = 100, shortest_word = 3, most_keywords = 10, most_related = 100;
constexpr double same_thing = 0.8;

constexpr words relevant{"security",   "vulnerability", "outage",      "incident",    "feature",
                         "release",    "launch",        "partnership", "acquisition", "merger",
                         "investment", "funding",       "customer",    "revenue"};
constexpr words novel{"first",         "new",          "unexpected", "surprising",
                      "unprecedented", "breakthrough", "novel",      "original"};
constexpr words grave{"critical",  "severe", "major",    "significant", "massive", "important",    "urgent",
                      "emergency", "outage", "downtime", "security",    "breach",  "vulnerability"};
constexpr words strategic{"roadmap",     "strategy",   "growth",  "retention",   "platform",
                          "integration", "automation", "quality", "reliability", "performance",
                          "compliance",  "market",     "pricing"};

/// The facts of a payload that the rules ask for.
struct facts {
  std::string text;            ///< in lower case
  std::set<std::string> tags;  ///< in lower case
  std::string role;            ///< of the actor, in lower case
  double audience = 0;
};

std::string lower_case(std::string_view text) {
  std::string out{text};
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

const json::value* member(const json::object& payload, std::string_view name) {
  if (const auto* own = payload.if_contains(name)) return own;
  const auto* raw = payload.if_contains("raw");
  return raw && raw->is_object() ? raw->as_object().if_contains(name) : nullptr;
}

std::string_view text_in(const json::value* v) {
  return v != nullptr && v->is_string() ? std::string_view{v->as_string()} : std::string_view{};
}

/// A label is a text, or an object that has one for its name.
std::string_view label_in(const json::value& v) {
  if (!v.is_object()) return text_in(&v);
  const auto name = text_in(v.as_object().if_contains("name"));
  return name.empty() ? text_in(v.as_object().if_contains("title")) : name;
}

facts read_facts(const json::object& payload, std::string_view kind) {
  facts f;
  for (const auto* name : {"title", "subject", "summary", "text", "body"})
    if (const auto text = text_in(member(payload, name)); !text.empty()) f.text.append(text).append("\n");
  f.text = lower_case(f.text.append(kind));
  for (const auto* name : {"tags", "labels"})
    if (const auto* list = member(payload, name); list && list->is_array())
      for (const auto& item : list->as_array()) f.tags.insert(lower_case(label_in(item)));
  if (const auto* actor = member(payload, "actor"); actor && actor->is_object())
    f.role = lower_case(text_in(actor->as_object().if_contains("role")));
  if (const auto* size = member(payload, "audience_size"); size && size->is_number())
    f.audience = std::max(size->to_number<double>(), 0.0);
  return f;
}

/// How many of the list's words the text contains.
double hits(const facts& f, words list) {
  return static_cast<double>(
      std::ranges::count_if(list, [&](auto word) { return f.text.find(word) != f.text.npos; }));
}

bool tagged(const facts& f, words any) {
  return std::ranges::any_of(any, [&](auto word) { return f.tags.contains(std::string{word}); });
}

bool is_any(std::string_view text, words any) { return std::ranges::find(any, text) != any.end(); }

double relevance_of(const facts& f) {
  double score = 0.5 + std::min(0.1 * hits(f, relevant), 0.3);
  if (tagged(f, {"security", "critical", "urgent"})) score += 0.2;
  if (tagged(f, {"enhancement"})) score += 0.1;
  if (tagged(f, {"bug"})) score += 0.05;
  return score;
}

double novelty_of(const facts& f, std::string_view kind, double origin) {
  double bonus = 0.05;
  if (kind == "release_published") bonus = 0.3;
  if (is_any(kind, {"issue_created", "pr_opened", "file_created", "calendar_event_created"})) bonus = 0.1;
  if (kind.ends_with("_updated")) bonus = 0;
  return 0.3 + bonus + origin + std::min(0.05 * hits(f, novel), 0.2);
}

double timeliness_of(std::chrono::milliseconds age) {
  using std::chrono::hours;
  if (age < hours{1}) return 1;
  if (age < hours{6}) return 0.9;
  if (age < hours{24}) return 0.8;
  if (age < hours{72}) return 0.6;
  return age < hours{168} ? 0.4 : 0.2;
}

double impact_of(const facts& f, std::string_view kind) {
  double bonus = 0.1;
  if (kind == "release_published") bonus = 0.2;
  if (is_any(kind, {"pr_merged", "issue_created"})) bonus = 0.15;
  return 0.2 + std::min(0.15 * hits(f, grave), 0.4) + bonus + std::min(f.audience / 10'000, 0.3);
}

double alignment_of(const facts& f) {
  double score = 0.4 + std::min(0.08 * hits(f, strategic), 0.3);
  if (tagged(f, {"security"})) score += 0.15;
  if (tagged(f, {"product"})) score += 0.1;
  if (tagged(f, {"engineering"})) score += 0.1;
  return score;
}

double credibility_of(const facts& f, double origin) {
  double score = 0.5 + origin;
  if (is_any(f.role, {"owner", "admin"})) score += 0.2;
  if (f.role == "maintainer") score += 0.15;
  if (f.role == "member") score += 0.1;
  return score;
}

/// From 0 to 1, to six digits: binary sums would miss a threshold by the last bit.
double settled(double score) { return std::round(std::clamp(score, 0.0, 1.0) * 1e6) / 1e6; }

signal_scores score(const facts& f, const signal& s, const provider::scoring_facts& origin,
                    const dimensions& weights, timestamp now) {
  signal_scores out;
  out.each = {relevance_of(f),
              novelty_of(f, s.kind, origin.novelty),
              timeliness_of(now - s.occurred_at),
              impact_of(f, s.kind),
              alignment_of(f),
              credibility_of(f, origin.credibility)};
  for (std::size_t i = 0; i < out.each.size(); ++i) {
    out.each[i] = settled(out.each[i]);
    out.total += weights[i] * out.each[i];
  }
  out.total = settled(out.total);
  return out;
}

std::vector<std::string> keywords_of(const facts& f) {
  std::set<std::string> found;
  for (const auto& list : {relevant, novel, grave, strategic})
    for (const auto word : list)
      if (f.text.find(word) != f.text.npos) found.emplace(word);
  std::vector<std::string> out{found.begin(), found.end()};
  if (out.size() > most_keywords) out.resize(most_keywords);
  return out;
}

std::optional<std::string> recommend(const signal_scores& s, const facts& f) {
  const auto mentions = [&](std::string_view word) { return f.text.find(word) != f.text.npos; };
  using enum dimension;
  if (s[impact] > 0.8 && mentions("security"))
    return "Have the security impact assessed and the affected systems checked now.";
  if (s[timeliness] > 0.8 && mentions("outage"))
    return "Look into the outage now and tell those who are affected.";
  if (s[alignment] > 0.8 && mentions("feature")) return "Weigh the feature against the roadmap.";
  if (s[novelty] > 0.8) return "Look closer: this has not been seen before.";
  if (s[impact] > 0.7 && s[credibility] > 0.7)
    return "Plan a response: the source is reliable and much depends on it.";
  if (s.total > 0.8) return "Review it soon: it is strong on the whole.";
  return std::nullopt;
}

/// The payload's own entity, and who acted on it.
json::array entities_of(const json::object& payload) {
  json::array out;
  const auto* entity = payload.if_contains("entity");
  if (entity && entity->is_object()) out.push_back(*entity);
  const auto* actor = payload.if_contains("actor");
  const auto* id = actor && actor->is_object() ? actor->as_object().if_contains("id") : nullptr;
  if (id && !id->is_null()) out.push_back(json::object{{"type", "actor"}, {"id", *id}});
  return out;
}

/// What the evidence of a cluster holds.
struct cluster_evidence {
  json::value source_signal;
  dimensions scores{}, weights{};
  std::set<std::string> keywords, sources;
  json::array entities, related;
  std::int64_t size = 0;
};

void write_texts(json_writer& w, std::string_view name, const std::set<std::string>& texts) {
  w.key(name).open_array();
  for (const auto& text : texts) w.value(std::string_view{text});
  w.close_array();
}

std::string rendered(const cluster_evidence& e) {
  std::string out;
  json_writer w{out};
  w.open().raw_member("source_signal", canonical_json(e.source_signal)).key("score_breakdown").open();
  for (std::size_t i = 0; i < e.scores.size(); ++i)
    w.key(dimension_names[i]).open().member("score", e.scores[i]).member("weight", e.weights[i]).close();
  w.close();
  write_texts(w, "keywords", e.keywords);
  w.raw_member("related_entities", canonical_json(e.entities));
  w.raw_member("related_signals", canonical_json(e.related));
  write_texts(w, "sources", e.sources);
  w.member("cluster_size", e.size).close();
  return out;
}

std::set<std::string> texts_of(const json::value& list) {
  std::set<std::string> out;
  for (const auto& item : list.as_array()) out.emplace(item.as_string());
  return out;
}

cluster_evidence evidence_from(std::string_view stored) {
  const auto o = parse_json_object(stored).value();
  cluster_evidence e;
  e.source_signal = o.at("source_signal");
  for (std::size_t i = 0; i < e.scores.size(); ++i) {
    const auto& part = o.at("score_breakdown").as_object().at(dimension_names[i]).as_object();
    e.scores[i] = part.at("score").to_number<double>();
    e.weights[i] = part.at("weight").to_number<double>();
  }
  e.keywords = texts_of(o.at("keywords"));
  e.sources = texts_of(o.at("sources"));
  e.entities = o.at("related_entities").as_array();
  e.related = o.at("related_signals").as_array();
  e.size = o.at("cluster_size").as_int64();
  return e;
}

void judge(cluster_evidence& e, const assessment& a, const dimensions& weights) {
  e.scores = a.scores.each;
  e.weights = weights;
}

void add(cluster_evidence& e, const assessment& a) {
  e.keywords.insert(a.keywords.begin(), a.keywords.end());
  while (e.keywords.size() > most_keywords) e.keywords.erase(std::prev(e.keywords.end()));
  e.sources.insert(a.provider);
  for (const auto& entity : a.entities)
    if (std::ranges::find(e.entities, entity) == e.entities.end() && e.entities.size() < most_related)
      e.entities.push_back(entity);
  ++e.size;
}

void write(json_writer& w, const dimensions& d) {
  for (std::size_t i = 0; i < d.size(); ++i) w.member(dimension_names[i], d[i]);
}

}  // namespace

bag_of_words bag_of(std::string_view text) {
  std::array<std::uint8_t, buckets> counts{};
  std::size_t taken = 0;
  // Bytes beyond ASCII belong to words of other scripts.
  const auto in_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c < 0;
  };
  for (auto at = text.begin(); at != text.end() && taken < most_words;) {
    const auto begin = std::find_if(at, text.end(), in_word);
    at = std::find_if_not(begin, text.end(), in_word);
    const std::string_view word{begin, at};
    if (code_points(word) < shortest_word) continue;
    std::uint32_t hash = 2166136261U;  // FNV-1a: the same in every process, as rows outlive them
    for (const char c : lower_case(word)) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    ++counts[hash % buckets];
    ++taken;
  }
  bag_of_words out;
  for (std::size_t i = 0; i < buckets; ++i)
    if (counts[i] > 0) out.emplace_back(static_cast<std::uint16_t>(i), counts[i]);
  return out;
}

double cosine(const bag_of_words& a, const bag_of_words& b) {
  const auto length = [](const bag_of_words& bag) {
    double sum = 0;
    for (const auto& [bucket, n] : bag) sum += double{1} * n * n;
    return std::sqrt(sum);
  };
  double common = 0;
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end();) {
    if (x->first == y->first) common += double{1} * x->second * y->second;
    const bool left = x->first <= y->first, right = y->first <= x->first;
    if (left) ++x;
    if (right) ++y;
  }
  return common == 0 ? 0 : common / (length(a) * length(b));
}

assessment assess(const signal& s, const provider::scoring_facts& origin, const dimensions& weights,
                  timestamp now) {
  const auto payload = parse_json_object(s.payload).value();
  const auto f = read_facts(payload, s.kind);
  assessment a{.signal = s.id,
               .provider = s.provider,
               .kind = s.kind,
               .occurred_at = s.occurred_at,
               .scores = score(f, s, origin, weights, now),
               .words = bag_of(f.text),
               .keywords = keywords_of(f),
               .entities = entities_of(payload),
               .recommendation{}};
  a.recommendation = recommend(a.scores, f);
  return a;
}

const cluster* home_of(const assessment& a, std::span<const cluster> open) {
  const cluster* best = nullptr;
  double closest = 0;
  for (const auto& c : open) {
    if (std::chrono::abs(a.occurred_at - c.began) > cluster_span) continue;
    const auto likeness = cosine(a.words, c.words);
    if (likeness + 1e-9 < same_thing || likeness <= closest) continue;
    best = &c;
    closest = likeness;
  }
  return best;
}

std::string key_of_cluster(const tenant_id& t, const signal_id& first) {
  return to_hex(bytes_of(sha256(t.str() + "|" + first.str())));
}

grounded_signal begin_cluster(const assessment& first, const dimensions& weights, timestamp now) {
  cluster_evidence e;
  e.source_signal = {{"id", first.signal.text()},
                     {"kind", first.kind},
                     {"provider", first.provider},
                     {"occurred_at", to_rfc3339(first.occurred_at)}};
  judge(e, first, weights);
  add(e, first);
  return {.id = grounded_id::make(),
          .signal = first.signal,
          .scores = first.scores,
          .status = grounded_status::recommended,
          .evidence = rendered(e),
          .recommendation = first.recommendation,
          .created_at = now,
          .updated_at = now};
}

grounded_signal grown(grounded_signal row, const assessment& next, const dimensions& weights, timestamp now) {
  if (row.status == grounded_status::actioned) return row;
  auto e = evidence_from(row.evidence);
  if (next.scores.total > row.scores.total) {
    row.scores = next.scores;
    judge(e, next, weights);
  }
  add(e, next);
  e.related.push_back(json::string{next.signal.text()});
  if (e.related.size() > most_related) e.related.erase(e.related.begin());
  row.evidence = rendered(e);
  row.updated_at = std::max(row.updated_at, now);
  return row;
}

std::string to_json(const dimensions& d) {
  std::string out;
  json_writer w{out};
  w.open();
  write(w, d);
  w.close();
  return out;
}

std::string to_json(const signal_scores& s) {
  std::string out;
  json_writer w{out};
  w.open();
  write(w, s.each);
  w.member("total", s.total).close();
  return out;
}

dimensions dimensions_from(std::string_view text) {
  const auto stored = parse_json_object(text).value();
  dimensions out;
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = stored.at(dimension_names[i]).to_number<double>();
  return out;
}

signal_scores scores_from(std::string_view text) {
  const auto stored = parse_json_object(text).value();
  return {dimensions_from(text), stored.at("total").to_number<double>()};
}

std::optional<std::string_view> fault_of(const dimensions& weights) {
  double sum = 0;
  for (const auto w : weights) {
    if (!(w >= 0)) return "must not be negative";
    sum += w;
  }
  if (!(std::abs(sum - 1) <= 0.001 + 1e-9)) return "must add up to 1";
  return std::nullopt;
}

}  // namespace connectord::grounding

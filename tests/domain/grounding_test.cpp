#include "domain/grounding.hpp"
#include "base/crypto.hpp"
#include "domain/notification.hpp"

#include <doctest/doctest.h>

#include <boost/json/serialize.hpp>

#include <random>

using namespace connectord;
using namespace connectord::grounding;
using enum connectord::dimension;

namespace {

constexpr timestamp now = from_millis(1'760'000'000'000);
constexpr provider::scoring_facts plain{0, 0};
using std::chrono::hours;

signal signal_of(std::string payload, std::string kind = "issue_updated", milliseconds age = {}) {
  signal s;
  s.id = signal_id::make();
  s.provider = "example";
  s.kind = std::move(kind);
  s.payload = std::move(payload);
  s.occurred_at = now - age;
  return s;
}

signal_scores scores_of(const std::string& payload, std::string kind = "issue_updated", milliseconds age = {},
                        provider::scoring_facts origin = plain) {
  return assess(signal_of(payload, std::move(kind), age), origin, signal_config{}.weights, now).scores;
}
double of(dimension d, const std::string& payload, std::string kind = "issue_updated") {
  return scores_of(payload, std::move(kind))[d];
}
std::string titled(std::string_view title) { return R"({"title":")" + std::string{title} + R"("})"; }
std::string tagged(std::string_view tag) { return R"({"labels":[{"name":")" + std::string{tag} + R"("}]})"; }

assessment assessed(std::string_view title, milliseconds age = {}) {
  return assess(signal_of(titled(title), "issue_updated", age), plain, signal_config{}.weights, now);
}
cluster cluster_of(const assessment& a) { return {grounded_id::make(), a.words, a.occurred_at}; }

}  // namespace

TEST_CASE("relevance counts different words of its list up to three, and adds what tags say") {
  CHECK(of(relevance, "{}") == 0.5);
  CHECK(of(relevance, titled("An OUTAGE, outage, outage")) == 0.6);
  CHECK(of(relevance, titled("security outage revenue merger")) == 0.8);
  for (const auto* tag : {"security", "Critical", "urgent"}) CHECK(of(relevance, tagged(tag)) == 0.7);
  CHECK(of(relevance, tagged("enhancement")) == 0.6);
  CHECK(of(relevance, tagged("bug")) == 0.55);
  CHECK(of(relevance, R"({"title":"security outage revenue","tags":["urgent","bug"]})") == 1);
}

TEST_CASE("novelty depends on the kind, on where a signal comes from, and on words") {
  CHECK(of(novelty, "{}", "issue_updated") == 0.3);
  CHECK(of(novelty, "{}", "release_published") == 0.6);
  for (const auto* kind : {"issue_created", "pr_opened", "file_created", "calendar_event_created"})
    CHECK(of(novelty, "{}", kind) == 0.4);
  CHECK(of(novelty, "{}", "message_posted") == 0.35);
  CHECK(of(novelty, titled("first breakthrough")) == 0.4);
  CHECK(of(novelty, titled("first new unexpected surprising original")) == 0.5);
  CHECK(scores_of("{}", "issue_updated", {}, {0.15, 0})[novelty] == 0.45);
}

TEST_CASE("timeliness falls in steps with age") {
  const auto at = [](milliseconds age) { return scores_of("{}", "issue_updated", age)[timeliness]; };
  const milliseconds instant{1};
  CHECK(at(hours{-1}) == 1);
  CHECK(at(hours{1} - instant) == 1);
  CHECK(at(hours{1}) == 0.9);
  CHECK(at(hours{6} - instant) == 0.9);
  CHECK(at(hours{6}) == 0.8);
  CHECK(at(hours{24}) == 0.6);
  CHECK(at(hours{72}) == 0.4);
  CHECK(at(hours{168}) == 0.2);
}

TEST_CASE("impact counts grave words up to a bound, the kind, and the audience") {
  CHECK(of(impact, "{}") == 0.3);
  CHECK(of(impact, "{}", "release_published") == 0.4);
  for (const auto* kind : {"pr_merged", "issue_created"}) CHECK(of(impact, "{}", kind) == 0.35);
  CHECK(of(impact, titled("severe downtime")) == 0.6);
  CHECK(of(impact, titled("severe downtime breach urgent")) == 0.7);
  CHECK(of(impact, R"({"audience_size":1000})") == 0.4);
  CHECK(of(impact, R"({"audience_size":1e9})") == 0.6);
  CHECK(of(impact, R"({"audience_size":-5})") == 0.3);
}

TEST_CASE("alignment counts strategic words up to a bound, and tags") {
  CHECK(of(alignment, "{}") == 0.4);
  CHECK(of(alignment, titled("growth on the roadmap")) == 0.56);
  CHECK(of(alignment, titled("growth roadmap pricing market quality")) == 0.7);
  CHECK(of(alignment, tagged("security")) == 0.55);
  CHECK(of(alignment, tagged("product")) == 0.5);
  CHECK(of(alignment, tagged("engineering")) == 0.5);
}

TEST_CASE("credibility depends on where a signal comes from, and on who acted") {
  CHECK(of(credibility, "{}") == 0.5);
  CHECK(scores_of("{}", "issue_updated", {}, {0, 0.3})[credibility] == 0.8);
  for (const auto& [role, score] :
       {std::pair{"owner", 0.7}, {"Admin", 0.7}, {"maintainer", 0.65}, {"member", 0.6}})
    CHECK(of(credibility, R"({"actor":{"role":")" + std::string{role} + R"("}})") == score);
}

TEST_CASE("a member that the payload lacks is looked for in raw, and no other member counts") {
  CHECK(of(relevance, R"({"raw":{"body":"an outage","labels":["bug"]}})") == 0.65);
  CHECK(of(relevance, R"({"title":"calm","raw":{"title":"an outage"}})") == 0.5);
  CHECK(of(relevance, R"({"comment":"an outage","raw":null})") == 0.5);
  CHECK(of(relevance, R"({"title":7,"labels":"bug","actor":"x","audience_size":"many"})") == 0.5);
}

TEST_CASE("the total weighs the six, and reaches a threshold that it equals") {
  const auto s = scores_of("{}");
  CHECK(s.total == doctest::Approx(0.2 * 0.5 + 0.15 * 0.3 + 0.15 * 1 + 0.25 * 0.3 + 0.15 * 0.4 + 0.1 * 0.5));
  CHECK(s.total == 0.48);
}

TEST_CASE("scores of any payload lie between 0 and 1, and equal input gives equal scores") {
  std::mt19937 dice{7};
  const std::vector<std::string> words{"security", "outage", "new",     "severe", "growth", "plain",
                                       "feature",  "first",  "ünïcode", "a",      "market", "breach"};
  const std::vector<std::string> kinds{signal_kinds.begin(), signal_kinds.end()};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (auto n = dice() % 150; n > 0; --n) text += words[dice() % words.size()] + " ";
    const auto payload = R"({"title":")" + text + R"(","tags":["security","product","engineering","bug"],)" +
                         R"("audience_size":)" + std::to_string(dice()) + R"(,"actor":{"role":"owner"}})";
    const auto s = signal_of(payload, kinds[dice() % kinds.size()], hours{dice() % 200});
    const auto a = assess(s, {0.2, 0.3}, signal_config{}.weights, now);
    for (const auto d : a.scores.each) CHECK((d >= 0 && d <= 1));
    CHECK((a.scores.total >= 0 && a.scores.total <= 1));
    CHECK(a.scores == assess(s, {0.2, 0.3}, signal_config{}.weights, now).scores);
    CHECK(a.keywords.size() <= 10);
    CHECK(std::ranges::is_sorted(a.keywords));
  }
}

TEST_CASE("the first advice that fits is given") {
  const auto advice = [](std::string payload, std::string kind = "issue_created",
                         provider::scoring_facts origin = {0, 0.3}) {
    const auto a =
        assess(signal_of(std::move(payload), std::move(kind)), origin, signal_config{}.weights, now);
    return a.recommendation.value_or("none");
  };
  const std::string loud = R"({"audience_size":9000,"title":"critical breach )";
  CHECK(advice(loud + R"(of security during the outage"})").starts_with("Have the security impact"));
  CHECK(advice(titled("outage")).starts_with("Look into the outage"));
  CHECK(advice(R"({"title":"feature growth roadmap market pricing","tags":["security"]})")
            .starts_with("Weigh the feature"));
  CHECK(advice(titled("first new novel original"), "release_published", {0.2, 0}).starts_with("Look closer"));
  CHECK(advice(loud + R"("})").starts_with("Plan a response"));
  CHECK(advice(titled("quiet")) == "none");
}

TEST_CASE("a bag holds the first hundred words of three letters or more, in any case") {
  CHECK(bag_of("Outage in EU: outage!") == bag_of("outage OUTAGE"));
  CHECK(bag_of("a an it ü 12").empty());
  CHECK(bag_of("äöü").size() == 1);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "word ";
  CHECK(bag_of(many + "other") == bag_of(many));
  CHECK(bag_of(many).front().second == 100);
}

TEST_CASE("likeness is 1 for the same words, 0 for others, and the same both ways") {
  const auto a = bag_of("payment service down again"), b = bag_of("payment service slow today");
  CHECK(cosine(a, a) == doctest::Approx(1));
  CHECK(cosine(a, b) == doctest::Approx(0.5));
  CHECK(cosine(a, b) == cosine(b, a));
  CHECK(cosine(a, bag_of("holiday calendar")) == 0);
  CHECK(cosine(a, {}) == 0);
}

TEST_CASE("a signal joins the cluster that it resembles most, within six hours of its beginning") {
  const auto first = assessed("payment service down for all european customers again");
  const auto close = assessed("payment service down for all european customers now");
  const auto other = assessed("holiday calendar published");
  const std::vector clusters{cluster_of(other), cluster_of(close), cluster_of(first)};
  CHECK(home_of(first, clusters) == &clusters[2]);
  CHECK(home_of(other, clusters) == &clusters[0]);
  CHECK(home_of(assessed("lunch menu"), clusters) == nullptr);
  for (const auto away : {hours{6}, hours{-6}}) {
    CHECK(home_of(assessed("holiday calendar published", away), clusters) == &clusters[0]);
    const auto later = away + milliseconds{away.count() > 0 ? 1 : -1};
    CHECK(home_of(assessed("holiday calendar published", later), clusters) == nullptr);
  }
}

TEST_CASE("a cluster that grows takes the strongest scores, and keeps what people decided") {
  const auto weights = signal_config{}.weights;
  const auto weak = assessed("outage"), strong = assessed("critical security outage");
  auto row = begin_cluster(weak, weights, now);
  CHECK(row.signal == weak.signal);
  CHECK(row.status == grounded_status::recommended);
  row.recommendation = "mine";
  row = grown(row, strong, weights, now + seconds{1});
  CHECK(row.signal == weak.signal);
  CHECK(row.scores == strong.scores);
  CHECK(row.recommendation == "mine");
  CHECK(row.updated_at == now + seconds{1});
  CHECK(grown(row, weak, weights, now + seconds{2}).scores == strong.scores);
  row.status = grounded_status::actioned;
  CHECK(grown(row, strong, weights, now + seconds{3}).evidence == row.evidence);
}

TEST_CASE("evidence names source, scores, words and everything that belongs together") {
  const auto weights = signal_config{}.weights;
  auto s = signal_of(R"({"title":"outage","entity":{"type":"issue","id":"1"},"actor":{"id":7,"name":"x"}})");
  auto row = begin_cluster(assess(s, plain, weights, now), weights, now);
  auto next = assessed("outage of security");
  next.provider = "another";
  row = grown(row, next, weights, now);
  const auto e = parse_json_object(row.evidence).value();
  CHECK(e.at("source_signal").as_object().at("id") == json::string{s.id.text()});
  CHECK(e.at("score_breakdown").as_object().at("impact").as_object().at("weight") == 0.25);
  CHECK(canonical_json(e.at("keywords")) == R"(["outage","security"])");
  CHECK(canonical_json(e.at("related_entities")) == R"([{"id":"1","type":"issue"},{"id":7,"type":"actor"}])");
  CHECK(e.at("related_signals") == json::array{json::string{next.signal.text()}});
  CHECK(canonical_json(e.at("sources")) == R"(["another","example"])");
  CHECK(e.at("cluster_size") == 2);
}

TEST_CASE("evidence stays bounded however large its cluster becomes") {
  const auto weights = signal_config{}.weights;
  auto row = begin_cluster(assessed("outage"), weights, now);
  for (int i = 0; i < 150; ++i) row = grown(row, assessed("outage"), weights, now);
  const auto e = parse_json_object(row.evidence).value();
  CHECK(e.at("cluster_size") == 151);
  CHECK(e.at("related_signals").as_array().size() == 100);
}

TEST_CASE("a cluster's key depends on its tenant and its first signal") {
  const auto t = tenant_id::make();
  const auto s = signal_id::make();
  CHECK(key_of_cluster(t, s) == key_of_cluster(t, s));
  CHECK(key_of_cluster(t, s) != key_of_cluster(tenant_id::make(), s));
  CHECK(key_of_cluster(t, s) != key_of_cluster(t, signal_id::make()));
  CHECK(key_of_cluster(t, s).size() == 64);
}

TEST_CASE("weights are six shares of one") {
  CHECK_FALSE(fault_of(signal_config{}.weights));
  CHECK_FALSE(fault_of({1, 0, 0, 0, 0, 0}));
  CHECK_FALSE(fault_of({0.999, 0, 0, 0, 0, 0}));
  CHECK(fault_of({0.99, 0, 0, 0, 0, 0}));
  CHECK(fault_of({1.2, -0.2, 0, 0, 0, 0}));
}

TEST_CASE("scores and weights come back as they were written") {
  const auto s = scores_of(titled("first security outage"), "release_published");
  CHECK(scores_from(to_json(s)) == s);
  CHECK(dimensions_from(to_json(signal_config{}.weights)) == signal_config{}.weights);
}

TEST_CASE("a payload that is no object is a broken promise") {
  CHECK_THROWS(assess(signal_of("[1]"), plain, signal_config{}.weights, now));
}

TEST_CASE("a notification says what was found, and to whom") {
  const auto t = tenant_id::make();
  const auto row = begin_cluster(assessed("security outage"), signal_config{}.weights, now);
  const auto body = parse_json_object(notification_body(t, row)).value();
  CHECK(body.at("grounded_signal_id") == json::string{row.id.text()});
  CHECK(body.at("tenant_id") == json::string{t.text()});
  CHECK(body.at("status") == "recommended");
  CHECK(body.at("occurred_at") == json::string{to_rfc3339(now)});
  CHECK(body.at("scores").as_object().size() == 7);
  CHECK(canonical_json(body.at("evidence_summary").as_object().at("keywords")) == R"(["outage","security"])");
}

TEST_CASE("a notification is signed over id, time and body with the token, and without one not at all") {
  const auto id = grounded_id::make();
  const auto sent = notification("https://a.example/x", secret{"a token"}, id, "{}", now);
  CHECK(sent.method == "POST");
  const auto header = [](const http_request& r, std::string_view name) {
    for (const auto& [key, value] : r.headers)
      if (key == name) return value;
    return std::string{};
  };
  CHECK(header(sent, "authorization") == "Bearer a token");
  CHECK(header(sent, "webhook-id") == id.str());
  CHECK(header(sent, "webhook-timestamp") == "1760000000");
  const auto mac = [&](std::string_view key) {
    return "v1," + to_base64(bytes_of(hmac_sha256(key, id.str() + ".1760000000.{}")));
  };
  CHECK(header(sent, "webhook-signature") == mac("a token"));
  const auto standard = notification("https://a.example/x", secret{"whsec_YSBrZXk="}, id, "{}", now);
  CHECK(header(standard, "webhook-signature") == mac("a key"));
  const auto bare = notification("https://a.example/x", secret{}, id, "{}", now);
  CHECK(header(bare, "authorization").empty());
  CHECK(header(bare, "webhook-signature").empty());
}

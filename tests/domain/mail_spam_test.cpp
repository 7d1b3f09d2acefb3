#include "domain/mail_spam.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace connectord;

namespace {

/// Nothing about it is odd.
mail_view plain() {
  mail_view out;
  out.from = "Ann <ann@partner.example>";
  out.subject = "Quarterly plan";
  out.headers = {{{"received", "by mx.example"}, {"date", "Mon, 3 Feb 2025 04:05:06 +0000"}}};
  return out;
}

double score_of(const mail_view& mail, double factor = 1) { return judge_mail(mail, factor, {}).score; }

double subject_score(std::string subject) {
  auto mail = plain();
  mail.subject = std::move(subject);
  return score_of(mail);
}

double attachment_score(std::vector<std::string> names) {
  auto mail = plain();
  mail.attachments = std::move(names);
  return score_of(mail);
}

}  // namespace

TEST_CASE("an ordinary mail scores nothing") {
  const auto verdict = judge_mail(plain(), 1, {});
  CHECK_FALSE(verdict.spam);
  CHECK(verdict.score == 0);
}

TEST_CASE("the deny list wins over the allow list, and both over everything else") {
  auto mail = plain();
  mail.labels = {"SPAM"};
  CHECK_FALSE(judge_mail(mail, 1, {0.8, {"@partner.example"}, {}}).spam);
  const auto denied = judge_mail(mail, 1, {0.8, {"@partner.example"}, {"ann@partner.example"}});
  CHECK(denied.spam);
  CHECK(denied.score == 1);
  CHECK(denied.reason == "deny_list");
}

TEST_CASE("a list entry with a host means that host and those below it, an address only itself") {
  const auto denied = [](std::string from, std::string entry) {
    auto mail = plain();
    mail.from = std::move(from);
    return judge_mail(mail, 1, {0.8, {}, {std::move(entry)}}).spam;
  };
  CHECK(denied("ANN@Partner.Example", "@partner.example"));
  CHECK(denied("Ann <ann@mail.partner.example>", "@partner.example"));
  CHECK_FALSE(denied("ann@notpartner.example", "@partner.example"));
  CHECK_FALSE(denied("bob@partner.example", "ann@partner.example"));
  CHECK_FALSE(denied("\"ann@partner.example\" <eve@evil.example>", "@partner.example"));
  CHECK_FALSE(denied("nobody", "@partner.example"));
}

TEST_CASE("labels of unwanted mail decide alone, categories never do") {
  for (const auto* label : {"SPAM", "junk", "Trash", "bulk"}) {
    auto mail = plain();
    mail.labels = {"INBOX", label};
    CHECK(judge_mail(mail, 0.8, {}).spam);
  }
  auto mail = plain();
  mail.labels = {"CATEGORY_PROMOTIONS", "social"};
  const auto verdict = judge_mail(mail, 1, {0.1, {}, {}});
  CHECK(verdict.score == doctest::Approx(0.2));
  CHECK_FALSE(verdict.spam);
}

TEST_CASE("words of a subject count once each, as words of their own, and only above 0.2 together") {
  CHECK(subject_score("Urgent") == 0);
  CHECK(subject_score("your prize") == 0);
  CHECK(subject_score("Urgent: your prize") == doctest::Approx(0.35));
  CHECK(subject_score("urgent urgent prize") == doctest::Approx(0.35));
  CHECK(subject_score("cashier and surprize") == 0);
  CHECK(subject_score("Verify your password, click here") == doctest::Approx(0.54));
  CHECK(subject_score("HELLO there WORLD") == doctest::Approx(0.25));
  CHECK(subject_score("Hello!!!!") == 0);
  CHECK(subject_score("Hello!!!!!") == doctest::Approx(0.3));
  CHECK(subject_score(
            "urgent asap act now last chance lottery jackpot prize cash password suspended!!!!!!") == 1);
}

TEST_CASE("attachments count by their type") {
  CHECK(attachment_score({"a.pdf", "b.txt", "exe"}) == 0);
  CHECK(attachment_score({"invoice.pdf.EXE"}) == doctest::Approx(0.8));
  CHECK(attachment_score({"a.zip"}) == doctest::Approx(0.3));
  CHECK(attachment_score({"a.zip", "b.7z", "c.pdf", "d.pdf"}) == doctest::Approx(0.8));
  CHECK(attachment_score({"a.exe", "b.js"}) == 1);
}

TEST_CASE("headers count when they are known, and only above 0.1 together") {
  auto mail = plain();
  mail.headers = {{{"authentication-results", "mx; spf=pass; dkim=FAIL"}}};
  CHECK(score_of(mail) == 1);
  mail.headers = {{{"received", "x"}}};
  CHECK(score_of(mail) == doctest::Approx(0.2));
  mail = plain();
  mail.subject = " ";
  mail.html = true;
  CHECK(score_of(mail) == 0);
  mail.headers = {{{"received", "x"}}};
  CHECK(score_of(mail) == doctest::Approx(0.3));
  mail.headers.reset();
  CHECK(score_of(mail) == 0);
}

TEST_CASE("the provider's factor scales the sum, and the threshold itself is spam") {
  auto mail = plain();
  mail.attachments = {"a.exe"};
  CHECK(judge_mail(mail, 1, {}).spam);
  const auto scaled = judge_mail(mail, 0.85, {});
  CHECK(scaled.score == doctest::Approx(0.68));
  CHECK_FALSE(scaled.spam);
  mail.headers.emplace();
  CHECK(judge_mail(mail, 0.8, {}).score == doctest::Approx(1.0));
}

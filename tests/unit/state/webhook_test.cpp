#include "webhook_body.hpp"

#include "chargifyd/state/webhook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

webhook read(const std::string& body, const std::string& site = "acme")
{
    return prepare(1, site, timestamp{}, body);
}

const observation* find(const webhook& w, object_kind kind)
{
    for (const observation& o : w.observations) {
        if (o.kind == kind)
            return &o;
    }
    return nullptr;
}

value column(const observation& o, std::string_view name)
{
    return o.columns.at(*table_of(o.kind).find(name));
}

TEST(prepare, reads_a_full_payload)
{
    const webhook w = read(test::subscription_body{}.str());
    EXPECT_EQ(w.error, "");
    EXPECT_EQ(w.webhook_id, 1);
    EXPECT_EQ(w.event_id, 1);
    EXPECT_EQ(w.event, "subscription_state_change");
    EXPECT_TRUE(w.known_event);
    EXPECT_FALSE(w.test);
    EXPECT_EQ(w.subscription_id, 100);
    EXPECT_EQ(w.customer_id, 7);
    EXPECT_EQ(w.occurred_at, "2026-01-01T15:00:00Z");
    EXPECT_FALSE(w.body_sha256);
    ASSERT_EQ(w.observations.size(), 3U);

    const observation& s = *find(w, object_kind::subscription);
    EXPECT_TRUE(s.full);
    EXPECT_EQ(s.updated_at, 1767279600);
    EXPECT_EQ(column(s, "state"), value("active"));
    EXPECT_EQ(column(s, "customer_id"), value(std::int64_t{7}));
    EXPECT_EQ(column(s, "product_handle"), value("basic"));
    EXPECT_EQ(column(s, "balance_in_cents"), value(std::int64_t{0}));
    EXPECT_EQ(column(s, "cancel_at_end_of_period"), value(std::int64_t{0}));
    EXPECT_EQ(column(s, "current_period_ends_at"), value("2026-02-01T15:00:00Z"));
    EXPECT_EQ(column(s, "canceled_at"), value());
    EXPECT_THAT(s.attributes, HasSubstr(R"("signup_revenue":"64.00")"));
    EXPECT_THAT(s.attributes, Not(HasSubstr("customer")));

    const observation& p = *find(w, object_kind::product);
    EXPECT_EQ(column(p, "family_id"), value(std::int64_t{9}));
    EXPECT_EQ(column(p, "family_handle"), value("plans"));
    const observation& c = *find(w, object_kind::customer);
    EXPECT_TRUE(c.full);
    EXPECT_EQ(column(c, "reference"), value("ref-7"));
}

TEST(prepare, removes_vault_tokens_at_any_depth)
{
    const webhook w = read(test::subscription_body{}.str());
    const observation& s = *find(w, object_kind::subscription);
    EXPECT_THAT(s.attributes, HasSubstr("masked_card_number"));
    EXPECT_THAT(s.attributes, Not(HasSubstr("vault_token")));
    EXPECT_THAT(s.attributes, Not(HasSubstr("canary")));
    const webhook partial =
        read("id=2&event=expiring_card&payload[subscription][id]=100&payload[subscription][card][vault_token]"
             "=canary"
             "&payload[subscription][vault_token]=canary&payload[subscription][state]=active");
    for (const auto& [key, json] : find(partial, object_kind::subscription)->extras)
        EXPECT_THAT(key + json, Not(HasSubstr("canary")));
}

TEST(prepare, a_payload_without_a_clock_is_a_patch)
{
    const webhook w =
        read("id=5&event=statement_settled&payload[subscription][id]=100&payload[subscription][state]="
             "active&payload[subscription][balance_in_cents]=&payload[customer][id]=7&"
             "payload[customer][first_name]=Ada&payload[customer][phone]=&payload[customer][city]=Paris");
    const observation& s = *find(w, object_kind::subscription);
    EXPECT_FALSE(s.full);
    EXPECT_EQ(column(s, "state"), value("active"));
    EXPECT_EQ(column(s, "balance_in_cents"), value());
    EXPECT_EQ(column(s, "customer_id"), value(std::int64_t{7}));
    const observation& c = *find(w, object_kind::customer);
    ASSERT_EQ(c.extras.size(), 1U);
    EXPECT_EQ(c.extras[0], std::make_pair(std::string("city"), std::string("\"Paris\"")));
}

TEST(prepare, keeps_what_does_not_fit_its_column)
{
    test::subscription_body b;
    b.balance = "12.50";
    b.canceled_at = "yesterday";
    const webhook w = read(b.str());
    const observation& s = *find(w, object_kind::subscription);
    EXPECT_EQ(column(s, "balance_in_cents"), value());
    EXPECT_EQ(column(s, "canceled_at"), value());
    EXPECT_THAT(s.attributes, HasSubstr(R"("balance_in_cents":"12.50")"));
    EXPECT_THAT(s.attributes, HasSubstr(R"("canceled_at":"yesterday")"));
}

TEST(prepare, integers_at_their_limits)
{
    test::subscription_body b;
    b.balance = "-9223372036854775808";
    EXPECT_EQ(column(*find(read(b.str()), object_kind::subscription), "balance_in_cents"),
              value(std::numeric_limits<std::int64_t>::min()));
    b.balance = "9223372036854775807";
    EXPECT_EQ(column(*find(read(b.str()), object_kind::subscription), "balance_in_cents"),
              value(std::numeric_limits<std::int64_t>::max()));
    b.balance = "9223372036854775808";
    EXPECT_EQ(column(*find(read(b.str()), object_kind::subscription), "balance_in_cents"), value());
}

TEST(prepare, another_site_is_a_dead_letter)
{
    const webhook w = read(test::subscription_body{}.str(), "globex");
    EXPECT_THAT(w.error, HasSubstr("'acme'"));
    EXPECT_TRUE(w.observations.empty());
    EXPECT_EQ(read(test::subscription_body{}.str(), "ACME").error, "");
}

TEST(prepare, unreadable_bodies_are_dead_letters)
{
    for (const std::string body : {"", "x", "id=1&payload[a]=b", "event=", "event=a%", "event=a%ZZ",
                                   "{\"event\":1}", "\x00\x01\xff"}) {
        const webhook w = read(body);
        EXPECT_NE(w.error, "") << body;
        EXPECT_TRUE(w.body_sha256) << body;
    }
}

TEST(prepare, test_bodies_say_nothing)
{
    const webhook button = read("id=123456&event=test&payload[chargify]=testing");
    EXPECT_TRUE(button.test);
    test::subscription_body b;
    b.id = 0;
    b.customer_id = 0;
    b.product_id = 0;
    const webhook panel = read(b.str());
    EXPECT_TRUE(panel.test);
    EXPECT_TRUE(panel.observations.empty());
}

TEST(prepare, a_webhook_without_an_id_is_known_by_its_body)
{
    const webhook a = read("event=test&payload[chargify]=testing");
    const webhook b = read("payload[chargify]=testing&event=test");
    ASSERT_TRUE(a.body_sha256 && b.body_sha256);
    EXPECT_NE(*a.body_sha256, *b.body_sha256);
    EXPECT_EQ(a.body_sha256, read("event=test&payload[chargify]=testing").body_sha256);
    EXPECT_TRUE(read("id=0&event=test").body_sha256);
}

TEST(prepare, many_distinct_keys_take_linear_time_and_are_kept)
{
    std::string body =
        "id=1&event=x&payload[subscription][id]=1&payload[subscription][updated_at]=2026-01-01T00:00:00Z&"
        "payload[subscription][created_at]=2026-01-01T00:00:00Z&payload[subscription][state]=active";
    for (int i = 0; i < 20000; ++i)
        body += "&payload[subscription][k" + std::to_string(i) + "]=v";
    const webhook w = read(body);
    ASSERT_EQ(w.error, "");
    EXPECT_THAT(find(w, object_kind::subscription)->attributes, HasSubstr("\"k19999\":\"v\""));
}

} // namespace
} // namespace chargifyd::state

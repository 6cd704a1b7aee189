#include "samples.hpp"

#include "chargifyd/base/time.hpp"
#include "chargifyd/chargify/envelope.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace chargifyd::chargify {
namespace {

envelope read(std::string_view body)
{
    auto tree = form::parse(body);
    EXPECT_TRUE(tree) << body;
    auto found = read_envelope(tree ? std::move(*tree) : form());
    EXPECT_TRUE(found) << body;
    return found ? std::move(*found) : envelope();
}

std::string when(std::string_view payload)
{
    const envelope e = read("event=e&" + std::string(payload));
    return e.occurred_at ? format_utc(*e.occurred_at) : "nothing";
}

TEST(envelope, tells_what_a_full_payload_is_about)
{
    const envelope e =
        read("id=141765008&event=payment_success&payload[site][id]=31&payload[site][subdomain]=acme"
             "&payload[subscription][id]=15&payload[subscription][state]=active"
             "&payload[subscription][customer][id]=14&payload[subscription][product][id]=37"
             "&payload[transaction][id]=16&payload[transaction][created_at]=2016-11-08%2016%3A22%3A20%20-0500"
             "&payload[event_id]=347299364");
    EXPECT_EQ(e.event, "payment_success");
    EXPECT_EQ(e.webhook_id, 141765008);
    EXPECT_EQ(e.event_id, 347299364);
    EXPECT_EQ(e.subdomain, "acme");
    EXPECT_EQ(e.subscription_id, 15);
    EXPECT_EQ(e.customer_id, 14);
    EXPECT_EQ(e.product_id, 37);
    ASSERT_TRUE(e.occurred_at);
    EXPECT_EQ(format_utc(*e.occurred_at), "2016-11-08T21:22:20Z");
    EXPECT_FALSE(e.test);
    EXPECT_EQ(e.tree.text(e.subscription, "state"), "active");
    EXPECT_EQ(e.tree.integer(e.customer, "id"), 14);
    EXPECT_EQ(e.tree.integer(e.product, "id"), 37);
    EXPECT_EQ(e.payload, e.tree.branch(form::root, "payload"));
}

TEST(envelope, roots_come_in_any_order)
{
    for (const char* body : {"id=5&event=customer_update&payload[customer][id]=9",
                             "payload[customer][id]=9&event=customer_update&id=5",
                             "payload[customer][id]=9&id=5&event=customer_update"}) {
        const envelope e = read(body);
        EXPECT_EQ(e.event, "customer_update");
        EXPECT_EQ(e.webhook_id, 5);
        EXPECT_EQ(e.customer_id, 9);
    }
}

TEST(envelope, needs_an_event_and_nothing_else)
{
    for (const char* body : {"", "id=1&payload[a]=1", "event=&id=1", "event[a]=test", "Event=test"}) {
        auto tree = form::parse(body);
        ASSERT_TRUE(tree);
        const auto e = read_envelope(std::move(*tree));
        ASSERT_FALSE(e) << body;
        EXPECT_EQ(e.error().code, errc::invalid);
    }
    const envelope e = read("event=something_new");
    EXPECT_EQ(e.event, "something_new");
    EXPECT_EQ(e.webhook_id, std::nullopt);
    EXPECT_EQ(e.event_id, std::nullopt);
    EXPECT_EQ(e.subdomain, std::nullopt);
    EXPECT_EQ(e.subscription_id, std::nullopt);
    EXPECT_EQ(e.customer_id, std::nullopt);
    EXPECT_EQ(e.product_id, std::nullopt);
    EXPECT_EQ(e.occurred_at, std::nullopt);
    EXPECT_FALSE(e.test);
}

TEST(envelope, a_webhook_id_is_a_positive_integer_of_64_bits)
{
    EXPECT_EQ(read("event=e&id=9223372036854775807").webhook_id, INT64_MAX);
    for (const char* id : {"", "0", "-5", "9223372036854775808", "12a", "1.5", "0x10"})
        EXPECT_EQ(read("event=e&id=" + std::string(id)).webhook_id, std::nullopt) << id;
}

TEST(envelope, finds_the_subscription_by_the_order_of_look_up)
{
    const std::string s = "payload[subscription][id]=1";
    const std::string flat = "payload[subscription_id]=2";
    const std::string field =
        "payload[metafield][resource_type]=Subscription&payload[metafield][resource_id]=3";
    const std::string transaction = "payload[transaction][subscription_id]=4";
    const std::string statement = "payload[statement][subscription_id]=5";
    const auto id = [](const std::string& rest) { return read("event=e&" + rest).subscription_id; };
    EXPECT_EQ(id(statement + "&" + transaction + "&" + field + "&" + flat + "&" + s), 1);
    EXPECT_EQ(id(statement + "&" + transaction + "&" + field + "&" + flat), 2);
    EXPECT_EQ(id(statement + "&" + transaction + "&" + field), 3);
    EXPECT_EQ(id(statement + "&" + transaction), 4);
    EXPECT_EQ(id(statement), 5);
    EXPECT_EQ(id("payload[subscription][id]=0&" + flat), 2);
    EXPECT_EQ(id("payload[subscription][id]=&" + flat), 2);
    EXPECT_EQ(id("payload[metafield][resource_type]=Customer&payload[metafield][resource_id]=3"),
              std::nullopt);
    EXPECT_EQ(id("payload[metafield][resource_id]=3"), std::nullopt);
}

TEST(envelope, finds_the_customer_by_the_order_of_look_up)
{
    const std::string inner = "payload[subscription][customer][id]=1";
    const std::string own = "payload[customer][id]=2";
    const std::string flat = "payload[customer_id]=3";
    const std::string field = "payload[metafield][resource_type]=Customer&payload[metafield][resource_id]=4";
    const auto id = [](const std::string& rest) { return read("event=e&" + rest).customer_id; };
    EXPECT_EQ(id(field + "&" + flat + "&" + own + "&" + inner), 1);
    EXPECT_EQ(id(field + "&" + flat + "&" + own), 2);
    EXPECT_EQ(id(field + "&" + flat), 3);
    EXPECT_EQ(id(field), 4);
    EXPECT_EQ(id("payload[customer][id]=0&" + flat), 3);
}

TEST(envelope, takes_the_subscriptions_own_customer_and_product_first)
{
    const envelope inner =
        read("event=e&payload[customer][id]=1&payload[product][id]=2&payload[subscription][customer][id]=3"
             "&payload[subscription][product][id]=4");
    EXPECT_EQ(inner.tree.integer(inner.customer, "id"), 3);
    EXPECT_EQ(inner.tree.integer(inner.product, "id"), 4);
    EXPECT_EQ(inner.product_id, 4);
    const envelope outer =
        read("event=e&payload[customer][id]=1&payload[product][id]=2&payload[subscription][id]=3");
    EXPECT_EQ(outer.tree.integer(outer.customer, "id"), 1);
    EXPECT_EQ(outer.tree.integer(outer.product, "id"), 2);
    EXPECT_EQ(outer.product_id, 2);
}

TEST(envelope, finds_when_it_happened)
{
    const std::string timestamp = "payload[timestamp]=2012-11-19T16%3A59%3A13Z";
    const std::string transaction = "payload[transaction][created_at]=2013-01-01%2000%3A00%3A00%20-0500";
    const std::string settled = "payload[statement][settled_at]=2014-01-01";
    const std::string closed = "payload[statement][closed_at]=2015-01-01";
    const std::string created = "payload[statement][created_at]=2016-01-01";
    const std::string subscription = "payload[subscription][updated_at]=2017-01-01";
    const std::string customer = "payload[customer][updated_at]=2018-01-01";
    const std::string statement = created + "&" + closed + "&" + settled;
    EXPECT_EQ(when(customer + "&" + subscription + "&" + statement + "&" + transaction + "&" + timestamp),
              "2012-11-19T16:59:13Z");
    EXPECT_EQ(when(customer + "&" + subscription + "&" + statement + "&" + transaction),
              "2013-01-01T05:00:00Z");
    EXPECT_EQ(when(customer + "&" + subscription + "&" + statement), "2014-01-01T00:00:00Z");
    EXPECT_EQ(when(customer + "&" + subscription + "&" + created + "&" + closed), "2015-01-01T00:00:00Z");
    EXPECT_EQ(when(customer + "&" + subscription + "&" + created), "2016-01-01T00:00:00Z");
    EXPECT_EQ(when(customer + "&" + subscription), "2017-01-01T00:00:00Z");
    EXPECT_EQ(when(customer), "2018-01-01T00:00:00Z");
    EXPECT_EQ(when("payload[subscription][customer][updated_at]=2018-01-02"), "2018-01-02T00:00:00Z");
    EXPECT_EQ(when("payload[timestamp]=yesterday&" + customer), "2018-01-01T00:00:00Z");
    EXPECT_EQ(when("payload[statement][settled_at]=&" + closed), "2015-01-01T00:00:00Z");
}

TEST(envelope, recognises_tests)
{
    for (const char* body :
         {"id=123456&event=test&payload[chargify]=testing", "event=test",
          "event=test&payload[subscription][id]=7",
          "event=renewal_failure&payload[subscription][id]=0&payload[subscription][customer][id]=0",
          "event=component_allocation_change&payload[subscription][id]=0&payload[product][id]=0",
          "event=customer_update&payload[customer][id]=0",
          "event=refund_success&payload[subscription_id]=0&payload[customer_id]=0",
          "event=signup_failure&payload[subscription][id]=&payload[subscription][product][id]=0"})
        EXPECT_TRUE(read(body).test) << body;
}

TEST(envelope, takes_nothing_genuine_for_a_test)
{
    for (const char* body :
         {"event=payment_success&payload[subscription][id]=7&payload[subscription][customer][id]=0",
          "event=signup_failure&payload[subscription][id]=&payload[subscription][customer][id]=",
          "event=signup_failure&payload[subscription][id]=0&payload[subscription][product][id]=12",
          "event=refund_success&payload[subscription_id]=0&payload[customer_id]=5",
          "event=invoice_issued&payload[invoice][id]=0", "event=testing",
          "event=e&payload[subscription][id]=00", "event=e&payload[chargify]=testing"})
        EXPECT_FALSE(read(body).test) << body;
}

TEST(envelope, moves_with_its_views)
{
    envelope first = read("event=payment_success&payload[site][subdomain]=acme");
    const envelope second = std::move(first);
    EXPECT_EQ(second.event, "payment_success");
    EXPECT_EQ(second.subdomain, "acme");
    EXPECT_EQ(second.event.data(), second.tree.value(form::root, "event")->data());
}

TEST(envelope, reads_every_captured_body)
{
    const auto bodies = captured_bodies();
    if (bodies.empty())
        GTEST_SKIP() << "CHARGIFYD_SAMPLES names no captured bodies";
    for (const auto& [name, body] : bodies) {
        const envelope e = read(body);
        EXPECT_FALSE(e.event.empty()) << name;
        if (name.starts_with("prowave-") || name.starts_with("m0dd3r-") || e.event == "test") {
            EXPECT_TRUE(e.test) << name;
        } else {
            EXPECT_FALSE(e.test) << name;
            EXPECT_TRUE(e.subscription_id) << name;
            EXPECT_TRUE(e.customer_id) << name;
            EXPECT_TRUE(e.webhook_id) << name;
            EXPECT_TRUE(e.occurred_at) << name;
        }
    }
}

} // namespace
} // namespace chargifyd::chargify

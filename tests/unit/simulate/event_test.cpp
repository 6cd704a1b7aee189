#include "wire.hpp"

#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/timestamp.hpp"
#include "chargifyd/simulate/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>

namespace chargifyd::simulate {
namespace {

using chargify::event_catalogue;
using chargify::event_info;
using chargify::form;
using chargify::payload_shape;

constexpr std::array styles{body_style::current, body_style::older, body_style::panel};

scene some_scene(std::string_view key, std::uint64_t seed = 1, body_style style = body_style::current)
{
    if (style == body_style::panel)
        return panel_scene(key, "acme", 77);
    scene_options with;
    with.seed = seed;
    with.style = style;
    return invented_scene(key, with);
}

webhook some_event(std::string_view key, std::uint64_t seed = 1, body_style style = body_style::current)
{
    return event_webhook(key, some_scene(key, seed, style));
}

template <class F>
void for_each_body(F check)
{
    for (const event_info& event : event_catalogue())
        for (const body_style style : styles)
            for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 999'999U})
                check(event, some_event(event.key, seed, style), style);
}

TEST(event, every_known_one_is_written_as_chargify_writes)
{
    EXPECT_EQ(event_catalogue().size(), 94U);
    for_each_body([](const event_info& event, const webhook& sent, body_style) {
        EXPECT_EQ(sent.event, event.key);
        expect_wire_exact(sent);
    });
}

TEST(event, what_is_read_can_be_written_again_byte_for_byte)
{
    const auto decoded = [](std::string_view value) {
        const auto tree = form::parse("v=" + std::string(value));
        EXPECT_TRUE(tree);
        return std::string(tree ? tree->value(form::root, "v").value_or("") : "");
    };
    for_each_body([&](const event_info&, const webhook& sent, body_style) {
        body_writer again;
        for (const auto& [key, value] : split_body(sent.body))
            again.add(key, decoded(value));
        EXPECT_EQ(again.str(), sent.body);
    });
}

TEST(event, names_its_numbers_and_its_site)
{
    for_each_body([](const event_info& event, const webhook& sent, body_style style) {
        const chargify::envelope e = read(sent);
        EXPECT_EQ(e.event, event.key);
        EXPECT_EQ(e.webhook_id, sent.id);
        if (event.shape == payload_shape::test)
            return;
        EXPECT_EQ(e.subdomain, "acme") << event.key;
        EXPECT_EQ(e.event_id.has_value(), style != body_style::panel) << event.key;
        if (style != body_style::panel) {
            EXPECT_TRUE(sent.body.ends_with("&payload[event_id]=" + std::to_string(*e.event_id)))
                << event.key;
            EXPECT_FALSE(e.test) << event.key;
        }
    });
}

/// Of customers, or of a payment form in the browser.
bool has_no_subscription(std::string_view key)
{
    return key.starts_with("customer_") || key.starts_with("chjs_") || key == "test" ||
           key == "subscription_group_signup_failure";
}

bool has_no_customer(std::string_view key)
{
    return key.find("balance_change") != std::string_view::npos ||
           key.find("usage") != std::string_view::npos || key.find("allocation") != std::string_view::npos ||
           key == "item_price_point_changed" || key == "custom_field_value_change" ||
           key == "component_billing_date_changed" || key == "product_billing_date_change" || key == "test";
}

TEST(event, carries_the_ids_by_which_it_is_found)
{
    for (const event_info& event : event_catalogue()) {
        for (const body_style style : {body_style::current, body_style::older}) {
            scene_options with;
            with.style = style;
            with.subscription_id = 101;
            with.customer_id = 202;
            scene of = invented_scene(event.key, with);
            of.field.of_customer = false;
            const chargify::envelope e = read(event_webhook(event.key, of));
            const bool nil = event.key == "signup_failure" && style == body_style::older;
            EXPECT_EQ(e.subscription_id.value_or(0), has_no_subscription(event.key) || nil ? 0 : 101)
                << event.key;
            EXPECT_EQ(e.customer_id.value_or(0), has_no_customer(event.key) ? 0 : 202) << event.key;
        }
    }
}

TEST(event, has_the_shape_of_the_catalogue)
{
    for (const event_info& event : event_catalogue()) {
        const chargify::envelope e = read(some_event(event.key));
        const bool clock = e.tree.value(e.subscription, "updated_at").has_value();
        const bool full = clock && e.tree.branch(e.subscription, "customer") != form::none &&
                          e.tree.branch(e.subscription, "product") != form::none;
        switch (event.shape) {
        case payload_shape::subscription:
            EXPECT_TRUE(full) << event.key;
            break;
        case payload_shape::customer:
            EXPECT_EQ(e.subscription, form::none) << event.key;
            EXPECT_TRUE(e.tree.text(e.customer, "updated_at")) << event.key;
            break;
        case payload_shape::partial:
            EXPECT_NE(e.subscription, form::none) << event.key;
            EXPECT_FALSE(clock) << event.key;
            break;
        case payload_shape::component:
            EXPECT_TRUE(e.tree.integer(e.tree.branch(e.payload, "component"), "id")) << event.key;
            EXPECT_TRUE(e.tree.text(e.payload, "timestamp")) << event.key;
            EXPECT_FALSE(clock) << event.key;
            break;
        case payload_shape::metafield:
            EXPECT_NE(e.tree.branch(e.payload, "metafield"), form::none) << event.key;
            break;
        case payload_shape::statement:
        case payload_shape::flat:
            EXPECT_EQ(e.tree.branch(e.subscription, "customer"), form::none) << event.key;
            break;
        case payload_shape::undocumented: // nothing to hold it to
            break;
        case payload_shape::test:
            EXPECT_EQ(e.tree.text(e.payload, "chargify"), "testing");
            break;
        }
    }
}

TEST(event, is_the_same_for_the_same_seed_and_another_for_another)
{
    for (const event_info& event : event_catalogue()) {
        EXPECT_EQ(some_event(event.key, 5).body, some_event(event.key, 5).body) << event.key;
        EXPECT_NE(some_event(event.key, 5).body, some_event(event.key, 6).body) << event.key;
    }
}

TEST(event, webhook_ids_differ_between_keys_seeds_and_styles)
{
    std::set<std::int64_t> ids;
    std::size_t sent = 0;
    for (const event_info& event : event_catalogue())
        for (const std::uint64_t seed : {0U, 1U, 2U, 999'999U})
            for (const body_style style : {body_style::current, body_style::older}) {
                ids.insert(some_event(event.key, seed, style).id);
                ++sent;
            }
    EXPECT_EQ(ids.size(), sent);
}

TEST(event, times_are_eastern_unless_the_field_has_another_form)
{
    const std::regex eastern("\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d -0[45]00");
    const std::set<std::string_view> dates{"due_date", "issue_date", "paid_date", "delivery_date"};
    std::size_t seen = 0;
    for_each_body([&](const event_info& event, const webhook& sent, body_style style) {
        const auto tree = form::parse(sent.body);
        ASSERT_TRUE(tree);
        for (form::index i = form::root + 1; i < tree->size(); ++i) {
            const auto& leaf = tree->at(i);
            const bool is_time = leaf.key.ends_with("_at") || leaf.key.ends_with("_date");
            const bool other_form =
                (event.key == "upcoming_renewal_notice" && style == body_style::current) ||
                (tree->at(leaf.parent).key == "dunner" && style == body_style::panel);
            if (leaf.is_branch || !is_time || leaf.value.empty() || dates.contains(leaf.key) || other_form)
                continue;
            ++seen;
            const std::string value(leaf.value);
            EXPECT_TRUE(std::regex_match(value, eastern)) << event.key << " " << leaf.key << " " << value;
            const auto when = chargify::parse_timestamp(value);
            ASSERT_TRUE(when);
            EXPECT_EQ(eastern_time(*when), value) << "daylight saving";
        }
    });
    EXPECT_GT(seen, 1000U);
}

TEST(event, one_that_nobody_knows_tells_at_least_whom_it_concerns)
{
    const webhook sent = some_event("subscription_teleported");
    expect_wire_exact(sent);
    const chargify::envelope e = read(sent);
    EXPECT_EQ(e.event, "subscription_teleported");
    EXPECT_EQ(e.subscription_id, 60'000'001);
    EXPECT_EQ(e.customer_id, 70'000'001);
}

TEST(event, panel_bodies_are_judged_tests)
{
    for (const event_info& event : event_catalogue()) {
        const webhook sent = some_event(event.key, 1, body_style::panel);
        const chargify::envelope e = read(sent);
        EXPECT_EQ(sent.id, 77);
        EXPECT_FALSE(e.subscription_id || e.customer_id || e.product_id || e.event_id) << event.key;
        EXPECT_TRUE(e.test) << event.key;
        for (form::index i = 0; i < e.tree.size(); ++i) {
            const auto& leaf = e.tree.at(i);
            const bool is_time =
                leaf.key.ends_with("_at") && !leaf.key.ends_with("expires_at") && !leaf.value.empty();
            EXPECT_TRUE(!is_time || leaf.value.starts_with("2012-")) << event.key << " " << leaf.key;
        }
    }
}

TEST(event, telling_counts_on)
{
    scene of = some_scene("renewal_success");
    const std::int64_t id = of.webhook_id;
    const webhook first = tell("renewal_success", of);
    const webhook second = tell("payment_success", of);
    EXPECT_EQ(first.id, id);
    EXPECT_EQ(second.id, id + 1);
    EXPECT_EQ(*read(second).event_id, *read(first).event_id + 1);
    EXPECT_EQ(second.at, of.at);
}

} // namespace
} // namespace chargifyd::simulate

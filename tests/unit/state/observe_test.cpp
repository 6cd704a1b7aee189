#include "webhook_body.hpp"

#include "chargifyd/state/webhook.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace chargifyd::state {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

webhook read(const std::string& body)
{
    webhook w = prepare(1, "acme", timestamp{}, body);
    EXPECT_EQ(w.error, "");
    return w;
}

const observation& one(const webhook& w, object_kind kind)
{
    const auto found = std::ranges::find(w.observations, kind, &observation::kind);
    if (found == w.observations.end())
        throw std::runtime_error("nothing observed of " + std::string(table_of(kind).name));
    return *found;
}

value column(const observation& o, std::string_view name)
{
    return o.columns.at(*table_of(o.kind).find(name));
}

value number(std::int64_t n)
{
    return n;
}

TEST(observe, finds_objects_in_events_that_nobody_has_documented)
{
    const webhook w =
        read("id=1&event=brand_new&payload[transaction][id]=5&payload[transaction][type]=Credit&"
             "payload[transaction][created_at]=2026-01-01T00:00:00Z&payload[subscription_id]=100&"
             "payload[transaction][future_field]=x");
    EXPECT_FALSE(w.known_event);
    const observation& t = one(w, object_kind::transaction);
    EXPECT_TRUE(t.full);
    EXPECT_EQ(t.key, object_key{number(5)});
    EXPECT_EQ(column(t, "subscription_id"), number(100));
    EXPECT_EQ(column(t, "type"), value("Credit"));
    EXPECT_THAT(t.attributes, HasSubstr(R"("future_field":"x")"));
}

TEST(observe, a_payment_profile_without_what_it_must_not_show)
{
    const std::string c = "payload[subscription][credit_card]";
    const webhook w =
        read("id=1&event=payment_success&payload[subscription][id]=100&payload[subscription][state]="
             "active&payload[subscription][created_at]=2026-01-01T00:00:00Z&"
             "payload[subscription][updated_at]=2026-01-01T00:00:00Z&" +
             c + "[id]=9&" + c + "[customer_id]=7&" + c + "[current_vault]=bogus&" + c +
             "[vault_token]=canary&" + c + "[masked_card_number]=XXXX-XXXX-XXXX-1&" + c +
             "[card_type]=visa&" + c + "[expiration_month]=4&" + c + "[expiration_year]=2026");
    const observation& p = one(w, object_kind::payment_profile);
    EXPECT_TRUE(p.full);
    EXPECT_EQ(column(p, "last_four"), value("1"));
    EXPECT_EQ(column(p, "payment_type"), value("credit_card"));
    EXPECT_EQ(column(p, "expiration_year"), number(2026));
    EXPECT_THAT(p.attributes, Not(HasSubstr("canary")));
    EXPECT_EQ(column(one(w, object_kind::subscription), "payment_profile_id"), number(9));
    EXPECT_THAT(one(w, object_kind::subscription).attributes, Not(HasSubstr("canary")));
}

TEST(observe, a_component_has_the_clock_of_its_event)
{
    const webhook w = read("id=1&event=metered_usage&payload[subscription][id]=100&payload[component][id]=40&"
                           "payload[component][kind]=metered_component&payload[component][unit_name]=call&"
                           "payload[new_unit_balance]=7.5&payload[timestamp]=2026-01-01T00:00:00Z&"
                           "payload[memo]=m");
    const observation& c = one(w, object_kind::component);
    EXPECT_FALSE(c.full);
    EXPECT_EQ(c.key, (object_key{number(100), number(40)}));
    EXPECT_EQ(c.updated_at, 1767225600);
    EXPECT_EQ(column(c, "unit_balance"), value("7.5"));
    EXPECT_EQ(column(c, "quantity"), value());
    EXPECT_EQ(column(c, "kind"), value("metered_component"));
    EXPECT_EQ(column(c, "updated_at"), value("2026-01-01T00:00:00Z"));
}

TEST(observe, a_price_point_belongs_to_the_component_or_to_the_product)
{
    const std::string body =
        "id=1&event=item_price_point_changed&payload[subscription_id]=100&payload[item_id]=40&"
        "payload[item_name]=Seats&payload[current_price_point][id]=9&"
        "payload[current_price_point][handle]=new&payload[item_type]=";
    const webhook of_component = read(body + "QuantityBasedComponent");
    EXPECT_EQ(column(one(of_component, object_kind::component), "price_point_id"), number(9));
    EXPECT_EQ(column(one(of_component, object_kind::component), "price_point_handle"), value("new"));
    EXPECT_EQ(column(one(read(body + "Product"), object_kind::subscription), "product_price_point_id"),
              number(9));
}

TEST(observe, balances_patch_the_subscription_that_a_flat_payload_names)
{
    const webhook w =
        read("id=1&event=subscription_service_credit_account_balance_changed&"
             "payload[subscription_id]=100&payload[service_credit_account_balance_in_cents]=250");
    const observation& s = one(w, object_kind::subscription);
    EXPECT_FALSE(s.full);
    EXPECT_EQ(column(s, "credit_balance_in_cents"), number(250));
}

TEST(observe, deletions_leave_a_mark)
{
    EXPECT_EQ(column(one(read("id=1&event=customer_delete&payload[customer][id]=7"), object_kind::customer),
                     "deleted"),
              number(1));
    EXPECT_EQ(column(one(read("id=1&event=subscription_deletion&payload[subscription_id]=100"),
                         object_kind::subscription),
                     "deleted"),
              number(1));
}

TEST(observe, a_custom_field_of_a_subscription_or_a_customer)
{
    const std::string m = "payload[metafield]";
    const webhook w = read("id=1&event=custom_field_value_change&" + m + "[resource_type]=Customer&" + m +
                           "[resource_id]=7&" + m + "[metafield_name]=size&" + m + "[metafield_id]=3&" + m +
                           "[event_type]=deleted&" + m + "[old_value]=large&" + m + "[new_value]=nil");
    const observation& f = one(w, object_kind::custom_field);
    EXPECT_EQ(f.key, (object_key{value("Customer"), number(7), value("size")}));
    EXPECT_EQ(column(f, "value"), value());
    EXPECT_EQ(column(f, "deleted"), number(1));
    EXPECT_EQ(w.customer_id, 7);
}

TEST(observe, an_invoice_under_its_name_or_flat)
{
    const webhook wrapped = read("id=1&event=invoice_issued&payload[invoice][uid]=inv_1&"
                                 "payload[invoice][subscription_id]=100&payload[invoice][total_amount]=10.50&"
                                 "payload[invoice][line_items][0][title]=Seats");
    const webhook flat =
        read("id=1&event=invoice_issued&payload[uid]=inv_1&payload[subscription_id]=100&"
             "payload[total_amount]=10.50&payload[line_items][0][title]=Seats&payload[event_id]=4");
    for (const webhook* const w : {&wrapped, &flat}) {
        const observation& i = one(*w, object_kind::invoice);
        EXPECT_EQ(i.key, object_key{value("inv_1")});
        EXPECT_EQ(column(i, "total_amount"), value("10.5"));
        EXPECT_EQ(column(i, "subscription_id"), number(100));
        ASSERT_EQ(i.extras.size(), 1U);
        EXPECT_EQ(i.extras[0].second, R"([{"title":"Seats"}])");
        EXPECT_EQ(w->subscription_id, 100);
    }
}

TEST(observe, products_that_were_and_that_will_be)
{
    const webhook w = read("id=1&event=upgrade_downgrade_success&payload[subscription][id]=100&"
                           "payload[previous_product][id]=3&payload[previous_product][handle]=basic&"
                           "payload[previous_product][product_family][id]=1&payload[target_product][id]=4");
    std::vector<object_key> seen;
    for (const observation& o : w.observations) {
        if (o.kind == object_kind::product)
            seen.push_back(o.key);
    }
    EXPECT_EQ(seen, (std::vector<object_key>{{number(3)}, {number(4)}}));
}

TEST(observe, a_group_and_its_member)
{
    const std::string g = "payload[subscription][group]";
    const webhook w = read("id=1&event=x&payload[subscription][id]=100&" + g + "[uid]=grp_1&" + g +
                           "[scheme]=1&" + g + "[primary_subscription_id]=99&" + g + "[primary]=false");
    const observation& group = one(w, object_kind::subscription_group);
    EXPECT_EQ(group.key, object_key{value("grp_1")});
    EXPECT_EQ(column(group, "primary_subscription_id"), number(99));
    EXPECT_EQ(column(one(w, object_kind::subscription), "group_uid"), value("grp_1"));
}

TEST(observe, ids_that_are_zero_or_no_numbers_are_no_objects)
{
    const webhook w = read("id=1&event=x&payload[transaction][id]=0&payload[statement][id]=x&"
                           "payload[component][id]=5&payload[refund_id]=-1&payload[invoice][uid]=&"
                           "payload[customer][id]=99999999999999999999");
    EXPECT_TRUE(w.observations.empty());
    EXPECT_TRUE(w.facts.empty());
}

} // namespace
} // namespace chargifyd::state

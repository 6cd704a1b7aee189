#include "chargifyd/state/forget.hpp"

#include <gtest/gtest.h>

namespace chargifyd::state {
namespace {

std::string blanked(std::string body)
{
    const std::size_t length = body.size();
    blank_personal(body);
    EXPECT_EQ(body.size(), length);
    const std::string again = body;
    EXPECT_FALSE(blank_personal(body)) << "doing it again changes nothing";
    EXPECT_EQ(body, again);
    while (!body.empty() && body.back() == '&')
        body.pop_back();
    return body;
}

TEST(forget, keeps_what_tells_nothing_personal)
{
    EXPECT_EQ(blanked("id=7&event=payment_success&payload[site][id]=1&payload[site][subdomain]=acme"
                      "&payload[event_id]=9&payload[subscription][id]=5&payload[subscription][state]=active"
                      "&payload[subscription][product][handle]=gold"
                      "&payload[subscription][product][product_family][name]=Plans"
                      "&payload[transaction][amount_in_cents]=100"),
              "id=7&event=payment_success&payload[site][id]=1&payload[site][subdomain]=acme"
              "&payload[event_id]=9&payload[subscription][id]=5&payload[subscription][state]=active"
              "&payload[subscription][product][handle]=gold"
              "&payload[subscription][product][product_family][name]=Plans"
              "&payload[transaction][amount_in_cents]=100");
}

TEST(forget, takes_everything_else)
{
    EXPECT_EQ(blanked("id=7&event=signup_success&payload[subscription][customer][id]=3"
                      "&payload[subscription][customer][email]=ada%40example.com"
                      "&payload[subscription][customer][state]=TX" // of the address
                      "&payload[subscription][customer][updated_at]=2026-01-01"
                      "&payload[subscription][credit_card][masked_card_number]=XXXX-1111"
                      "&payload%5Bsubscription%5D%5Bcustomer%5D%5Bphone%5D=555"
                      "&payload[transaction][memo]=for+Ada&payload[unheard_of][state]=x&unheard=of"
                      "&payload[metafield][metafield_name]=Size&payload[metafield][new_value]=XL"
                      "&payload[customer][product][name]=a+trap"),
              "id=7&event=signup_success&payload[subscription][customer][id]=3"
              "&payload[subscription][customer][updated_at]=2026-01-01"
              "&payload[metafield][metafield_name]=Size");
}

TEST(forget, stands_bodies_that_are_no_forms)
{
    EXPECT_EQ(blanked("%"), "");
    EXPECT_EQ(blanked("&&=&=x&[&]=&"), "");
    EXPECT_EQ(blanked(""), "");
    EXPECT_EQ(blanked(std::string(3, '\0')), "");
}

TEST(forget, knows_whom_a_body_concerns)
{
    const person who{"acme", 3, {5, 6}};
    const std::string head = "id=7&event=x&payload[subscription][id]=";
    EXPECT_TRUE(concerns(who, "acme", head + "9&payload[subscription][customer][id]=3"));
    EXPECT_TRUE(concerns(who, "acme", head + "5"));
    EXPECT_TRUE(concerns(who, "acme", "id=7&event=x&payload[customer][id]=3"));
    EXPECT_FALSE(concerns(who, "acme", head + "5&payload[subscription][customer][id]=4"))
        << "from when it was another customer's";
    EXPECT_FALSE(concerns(who, "acme", head + "7"));
    EXPECT_FALSE(concerns(who, "other", head + "5"));
    EXPECT_FALSE(concerns(who, "acme", "%"));
    EXPECT_FALSE(concerns(who, "acme", "payload[customer][id]=3")) << "a dead letter";
}

} // namespace
} // namespace chargifyd::state

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chargifyd::test {

/// A form body from plain pairs; values are percent-encoded where they must be.
inline std::string form_body(const std::vector<std::pair<std::string, std::string>>& pairs)
{
    std::string body;
    for (const auto& [key, value] : pairs) {
        if (!body.empty())
            body += '&';
        body += key + "=";
        for (const char c : value) {
            static constexpr std::string_view digits = "0123456789ABCDEF";
            const auto byte = static_cast<unsigned char>(c);
            const bool bare = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              std::string_view("-._!'()").find(c) != std::string_view::npos;
            if (bare)
                body += c;
            else
                body += {'%', digits[byte >> 4], digits[byte & 15]};
        }
    }
    return body;
}

/// A full subscription payload, small but with all that makes it full. Members that are empty are sent empty.
struct subscription_body {
    long long webhook_id = 1;
    std::string event = "subscription_state_change";
    long long event_id = 1;
    std::string subdomain = "acme";
    long long id = 100;
    std::string state = "active";
    std::string previous_state = "active";
    std::string updated_at = "2026-01-01 10:00:00 -0500";
    std::string period_started_at = "2026-01-01 10:00:00 -0500";
    std::string period_ends_at = "2026-02-01 10:00:00 -0500";
    std::string cancel_at_end = "false";
    std::string delayed_cancel_at;
    std::string canceled_at;
    std::string balance = "0";
    long long customer_id = 7;
    std::string customer_updated_at = "2026-01-01 10:00:00 -0500";
    std::string first_name = "Ada";
    std::string customer_reference = "ref-7";
    long long product_id = 3;
    std::string product_handle = "basic";
    std::string product_updated_at = "2025-06-01 10:00:00 -0400";
    std::string price = "1000";

    std::string str() const
    {
        const std::string s = "payload[subscription]";
        std::vector<std::pair<std::string, std::string>> pairs = {
            {"id", std::to_string(webhook_id)},
            {"event", event},
            {"payload[site][id]", "42"},
            {"payload[site][subdomain]", subdomain},
            {s + "[id]", std::to_string(id)},
            {s + "[state]", state},
            {s + "[previous_state]", previous_state},
            {s + "[balance_in_cents]", balance},
            {s + "[created_at]", "2026-01-01 10:00:00 -0500"},
            {s + "[updated_at]", updated_at},
            {s + "[current_period_started_at]", period_started_at},
            {s + "[current_period_ends_at]", period_ends_at},
            {s + "[cancel_at_end_of_period]", cancel_at_end},
            {s + "[delayed_cancel_at]", delayed_cancel_at},
            {s + "[canceled_at]", canceled_at},
            {s + "[signup_revenue]", "64.00"},
            {s + "[customer][id]", std::to_string(customer_id)},
            {s + "[customer][first_name]", first_name},
            {s + "[customer][reference]", customer_reference},
            {s + "[customer][created_at]", "2026-01-01 10:00:00 -0500"},
            {s + "[customer][updated_at]", customer_updated_at},
            {s + "[product][id]", std::to_string(product_id)},
            {s + "[product][handle]", product_handle},
            {s + "[product][name]", "Plan " + product_handle},
            {s + "[product][price_in_cents]", price},
            {s + "[product][created_at]", "2025-01-01 10:00:00 -0500"},
            {s + "[product][updated_at]", product_updated_at},
            {s + "[product][product_family][id]", "9"},
            {s + "[product][product_family][handle]", "plans"},
            {s + "[credit_card][masked_card_number]", "XXXX-XXXX-XXXX-1"},
            {s + "[credit_card][vault_token]", "canary-vault-token"},
            {s + "[credit_card][customer_vault_token]", "canary-vault-token"},
        };
        if (event_id != 0)
            pairs.emplace_back("payload[event_id]", std::to_string(event_id));
        return form_body(pairs);
    }
};

} // namespace chargifyd::test

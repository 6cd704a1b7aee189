#pragma once

#include "chargifyd/simulate/event.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

/// The hashes of which payloads are made, with the keys of captured bodies in their order.
namespace chargifyd::simulate {

/// Writes pairs below one bracketed path.
class hash_writer {
public:
    hash_writer(body_writer& to, std::string path)
        : to_(&to)
        , path_(std::move(path))
    {}

    hash_writer& add(std::string_view name, std::string_view value);
    hash_writer& add(std::string_view name, std::int64_t value);
    hash_writer& add(std::string_view name, const moment& value);
    hash_writer& add_flag(std::string_view name, bool value);
    hash_writer& add_id(std::string_view name, std::int64_t value); ///< of another object: 0 is nil
    hash_writer& add_own_id(std::int64_t value);                    ///< nil_id is nil
    hash_writer& add_nil(std::string_view name) { return add(name, std::string_view()); }
    hash_writer& add_nil(std::initializer_list<std::string_view> names);
    /// The hash of that name. Under it the name `""` stands for an element of an array: `[name][]`.
    hash_writer below(std::string_view name) const;

private:
    std::string key(std::string_view name) const;

    body_writer* to_;
    std::string path_;
};

inline hash_writer payload(body_writer& to)
{
    return {to, "payload"};
}

/// Writes `payload[…]` of one event, without site and event id.
using payload_builder = void (*)(body_writer& to, const scene& of);

/// `Thu, 18 Jan 2024 21:09:55.000000000 EST -05:00`: Ruby's inspect form, seen in upcoming_renewal_notice.
std::string inspected_time(std::chrono::sys_seconds when);
/// `2016-12-20 18:55:55 -0000`: seen in the panel's dunning_step_reached.
std::string zoneless_time(std::chrono::sys_seconds when);

// Objects, each below its path.
void add_site(body_writer& to, std::string_view subdomain);
void add_customer(hash_writer to, const scene& of, const customer& c);
void add_product(hash_writer to, const scene& of, const product& p);
void add_profile(hash_writer to, const scene& of, const payment_profile& p);
void add_transaction(hash_writer to, const scene& of, const transaction& t, bool of_statement = false);

// Shorter forms, in events that do not carry the full hash: `payload[customer]`, …
void add_customer_summary(body_writer& to, const scene& of);
void add_product_summary(body_writer& to, const scene& of);
void add_subscription_summary(body_writer& to, const scene& of);
/// `payload[subscription]` with id and state, `payload[customer]` with id and email: for payloads that nobody
/// has described.
void add_who(body_writer& to, const scene& of);

// Payloads, by family.
void full_subscription(body_writer& to, const scene& of);
void billing_date_change(body_writer& to, const scene& of);
void expiration_date_change(body_writer& to, const scene& of);
void product_change(body_writer& to, const scene& of);
void scheduled_product_change(body_writer& to, const scene& of);
void failed_product_change(body_writer& to, const scene& of);
void payment(body_writer& to, const scene& of);
void dunning_step_reached(body_writer& to, const scene& of);

void customer_event(body_writer& to, const scene& of);
void customer_change(body_writer& to, const scene& of);

void allocation(body_writer& to, const scene& of);
void metered_usage(body_writer& to, const scene& of);
void prepaid_usage(body_writer& to, const scene& of);
void component_billing_date(body_writer& to, const scene& of);
void item_price_point(body_writer& to, const scene& of);

void renewal_notice(body_writer& to, const scene& of);
void trial_notice(body_writer& to, const scene& of);
void card_update(body_writer& to, const scene& of);
void bank_account_update(body_writer& to, const scene& of);
void paypal_account_update(body_writer& to, const scene& of);
void group_card_update(body_writer& to, const scene& of);
void group_bank_account_update(body_writer& to, const scene& of);
void group_paypal_account_update(body_writer& to, const scene& of);

void statement_event(body_writer& to, const scene& of);
void invoice_event(body_writer& to, const scene& of);
void proforma_invoice(body_writer& to, const scene& of);
void invoice_in_collections(body_writer& to, const scene& of);

void refund_success(body_writer& to, const scene& of);
void refund_failure(body_writer& to, const scene& of);
void prepaid_balance(body_writer& to, const scene& of);
void prepayment_balance(body_writer& to, const scene& of);
void service_credit_balance(body_writer& to, const scene& of);
void pending_payment(body_writer& to, const scene& of);
void chargeback(body_writer& to, const scene& of);

void group_signup(body_writer& to, const scene& of);
void group_signup_failure(body_writer& to, const scene& of);
void group_membership(body_writer& to, const scene& of);
void token_made(body_writer& to, const scene& of);
void token_failed(body_writer& to, const scene& of);
void custom_field_change(body_writer& to, const scene& of);
void collection_method_change(body_writer& to, const scene& of);
void term_renewal(body_writer& to, const scene& of);
void revenue_post(body_writer& to, const scene& of);
void bare_reference(body_writer& to, const scene& of);
void test_button(body_writer& to, const scene& of);

// Products, components and names that are used wherever something must be invented.
inline constexpr std::int64_t family_id = 527890;
inline constexpr std::string_view family_name = "Example Plans";

} // namespace chargifyd::simulate

#include "chargifyd/simulate/body.hpp"

#include "load_template.hpp"
#include "payload.hpp"

#include <array>
#include <charconv>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

constexpr std::int64_t family_id = 527890;
constexpr std::string_view family_name = "Example Plans";

bool is_bare(char c) noexcept
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._!'()").find(c) != std::string_view::npos;
}

void append_encoded(std::string& out, std::string_view text, std::string_view also_bare = {})
{
    static constexpr char digits[] = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_bare(c) || also_bare.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

template <class T>
void append_number(std::string& out, T number)
{
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// The last `width` digits of `number`.
void append_padded(std::string& out, unsigned number, std::size_t width)
{
    out.append(width, '0');
    for (std::size_t i = 1; i <= width; ++i, number /= 10)
        out[out.size() - i] = static_cast<char>('0' + number % 10);
}

/// From the second Sunday of March to the first Sunday of November, at two o'clock local time.
bool is_daylight_time(sys_seconds when) noexcept
{
    const year y = year_month_day(floor<days>(when - hours(5))).year();
    const sys_seconds begins = sys_days(y / March / Sunday[2]) + hours(7);
    const sys_seconds ends = sys_days(y / November / Sunday[1]) + hours(6);
    return when >= begins && when < ends;
}

} // namespace

body_writer& body_writer::add(std::string_view key, std::string_view value)
{
    if (!out_.empty())
        out_ += '&';
    append_encoded(out_, key, "[]");
    out_ += '=';
    append_encoded(out_, value);
    return *this;
}

body_writer& body_writer::add(std::string_view key, std::int64_t value)
{
    std::string digits;
    append_number(digits, value);
    return add(key, digits);
}

std::string eastern_time(sys_seconds when)
{
    const bool daylight = is_daylight_time(when);
    const sys_seconds local = when - hours(daylight ? 4 : 5);
    const auto midnight = floor<days>(local);
    const year_month_day date(midnight);
    const auto second = static_cast<unsigned>((local - midnight).count());
    std::string out;
    out.reserve(25);
    append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.month()), 2);
    out += '-';
    append_padded(out, static_cast<unsigned>(date.day()), 2);
    out += ' ';
    append_padded(out, second / 3600, 2);
    out += ':';
    append_padded(out, second / 60 % 60, 2);
    out += ':';
    append_padded(out, second % 60, 2);
    return out.append(daylight ? " -0400" : " -0500");
}

webhook test_webhook(std::int64_t id)
{
    body_writer out;
    out.add("id", id).add("event", "test").add("payload[chargify]", "testing");
    return {id, "test", out.str()};
}

webhook load_webhook(const std::string& site, std::uint64_t n, std::uint64_t subscriptions, std::size_t bytes)
{
    // Senders ask for one kind of body over and over.
    static thread_local std::optional<load_template> last;
    if (!last || !last->is_for(site, bytes))
        last.emplace(site, bytes);
    return last->fill(n, subscriptions);
}

hash_writer& hash_writer::add(std::string_view name, std::string_view value)
{
    to_->add(key(name), value);
    return *this;
}

hash_writer& hash_writer::add(std::string_view name, std::int64_t value)
{
    to_->add(key(name), value);
    return *this;
}

hash_writer& hash_writer::add(std::string_view name, const moment& value)
{
    return add(name, std::string_view(value ? eastern_time(*value) : std::string()));
}

hash_writer& hash_writer::add_flag(std::string_view name, bool value)
{
    return add(name, std::string_view(value ? "true" : "false"));
}

hash_writer& hash_writer::add_id(std::string_view name, std::int64_t value)
{
    return value == 0 ? add_nil(name) : add(name, value);
}

hash_writer& hash_writer::add_nil(std::initializer_list<std::string_view> names)
{
    for (const std::string_view name : names)
        add_nil(name);
    return *this;
}

hash_writer hash_writer::below(std::string_view name) const
{
    return {*to_, key(name)};
}

std::string hash_writer::key(std::string_view name) const
{
    std::string out;
    out.reserve(path_.size() + name.size() + 2);
    return out.append(path_).append("[").append(name).append("]");
}

std::string decimal(std::int64_t cents)
{
    std::string out = std::to_string(cents / 100) + ".";
    append_padded(out, static_cast<unsigned>(cents % 100), 2);
    return out;
}

void add_site(body_writer& to, std::string_view subdomain)
{
    std::int64_t number = 10007;
    for (const char c : subdomain)
        number = (number * 31 + static_cast<unsigned char>(c)) % 90000;
    hash_writer(to, "payload[site]").add("id", 10000 + number).add("subdomain", subdomain);
}

void add_customer(hash_writer to, const customer& c)
{
    to.add("id", c.id).add("first_name", c.first_name).add("last_name", c.last_name);
    to.add("organization", c.organization).add("email", c.email());
    to.add("created_at", c.created_at).add("updated_at", c.updated_at).add("reference", c.reference());
    to.add("address", "1 Example Street").add_nil("address_2").add("city", c.city).add("state", "NC");
    to.add("zip", "12345").add("country", "US").add("phone", c.phone);
    to.add_nil("portal_invite_last_sent_at").add_nil("portal_invite_last_accepted_at");
    to.add_flag("verified", false).add_nil("portal_customer_created_at").add_nil("cc_emails");
}

void add_product(hash_writer to, const product& p, std::string_view subdomain)
{
    const sys_seconds created = sys_days(2025y / March / 24) + 17h + 38min + 39s;
    to.add("id", p.id).add("name", p.name).add("handle", p.handle).add("description", "lorem ipsum");
    to.add("accounting_code", p.handle).add_flag("request_credit_card", true).add_nil("expiration_interval");
    to.add("expiration_interval_unit", "never").add("created_at", created).add("updated_at", created);
    to.add("price_in_cents", p.price_in_cents).add("interval", 1).add("interval_unit", "month");
    to.add_nil({"initial_charge_in_cents", "trial_price_in_cents", "trial_interval"});
    to.add("trial_interval_unit", "month").add_nil("archived_at").add_flag("require_credit_card", true);
    to.add_nil("return_params").add_flag("taxable", false).add_nil("update_return_url");
    to.add_flag("initial_charge_after_trial", false).add("version_number", 1).add_nil("update_return_params");
    to.below("product_family").add("id", family_id).add("name", family_name).add_nil("description");
    to.below("product_family").add("handle", "example-plans").add_nil("accounting_code");
    // An array of hashes without indices: the same keys once for each page.
    for (const int page : {1, 2}) {
        const std::string path = "/subscribe/page" + std::to_string(page) + "/" + std::string(p.handle);
        to.below("public_signup_pages")
            .add("id", 10 * p.id + page)
            .add_nil("return_url")
            .add_nil("return_params");
        to.below("public_signup_pages")
            .add("url", "https://" + std::string(subdomain) + ".example.com" + path);
    }
}

void add_card(hash_writer to, const card& c, const customer& owner)
{
    to.add("id", c.id).add("first_name", owner.first_name).add("last_name", owner.last_name);
    to.add("masked_card_number", c.masked_number()).add("card_type", "visa");
    to.add("expiration_month", 10).add("expiration_year", 2030).add("customer_id", owner.id);
    to.add("current_vault", "bogus").add("vault_token", c.vault_token);
    to.add_nil({"billing_address", "billing_city", "billing_state"}).add("billing_zip", "12345");
    to.add("billing_country", "US").add("customer_vault_token", c.customer_vault_token);
    to.add_nil("billing_address_2").add("payment_type", "credit_card");
    to.add_nil({"site_gateway_setting_id", "gateway_handle"});
}

void add_subscription(body_writer& out, const subscription& s, std::string_view subdomain)
{
    hash_writer to(out, "payload[subscription]");
    to.add("id", s.id).add("state", s.state).add("trial_started_at", s.trial_started_at);
    to.add("trial_ended_at", s.trial_ended_at).add("activated_at", s.activated_at);
    to.add("created_at", s.created_at).add("updated_at", s.updated_at).add_nil("expires_at");
    to.add("balance_in_cents", s.balance_in_cents).add("current_period_ends_at", s.current_period_ends_at);
    to.add("next_assessment_at", s.next_assessment_at).add("canceled_at", s.canceled_at);
    to.add("cancellation_message", s.cancellation_message).add_nil("next_product_id");
    to.add_flag("cancel_at_end_of_period", s.cancel_at_end_of_period);
    to.add("payment_collection_method", "automatic").add_nil("snap_day");
    to.add("cancellation_method", s.cancellation_method);
    to.add("current_period_started_at", s.current_period_started_at).add("previous_state", s.previous_state);
    to.add_id("signup_payment_id", s.signup_payment_id)
        .add("signup_revenue", decimal(s.signup_revenue_in_cents));
    to.add("delayed_cancel_at", s.delayed_cancel_at).add_nil("coupon_code");
    to.add("total_revenue_in_cents", s.total_revenue_in_cents)
        .add("product_price_in_cents", s.plan.price_in_cents);
    to.add("product_version_number", 1).add("payment_type", "credit_card").add_nil("referral_code");
    to.add_nil(
        {"coupon_use_count", "coupon_uses_allowed", "reason_code", "automatically_resume_at", "on_hold_at"});
    to.add("scheduled_cancellation_at", s.delayed_cancel_at);
    to.add_nil({"next_product_handle", "next_product_price_point_id"});
    to.add("product_price_point_id", s.plan.id + 1000).add("product_price_point_type", "default");
    to.add_nil({"offer_id", "payer_id", "net_terms", "stored_credential_transaction_id"});
    to.add("reference", "subscription-" + std::to_string(s.id)).add_flag("prepaid_dunning", false);
    to.add_flag("dunning_communication_delay_enabled", false)
        .add_nil("dunning_communication_delay_time_zone");
    to.add_nil({"receives_invoice_emails", "locale"}).add("currency", "USD");
    to.add("credit_balance_in_cents", 0).add("prepayment_balance_in_cents", 0);
    add_customer(to.below("customer"), s.owner);
    add_product(to.below("product"), s.plan, subdomain);
    add_card(to.below("credit_card"), s.paid_with, s.owner);
}

void add_transaction(hash_writer to, const transaction& t, const subscription& of)
{
    const bool payment = t.type == "Payment";
    to.add("id", t.id).add("subscription_id", of.id).add("type", t.type).add("kind", t.kind);
    to.add("transaction_type", payment ? "payment" : "charge").add_flag("success", t.success);
    to.add("amount_in_cents", t.amount_in_cents).add("memo", t.memo).add("created_at", t.created_at);
    to.add("starting_balance_in_cents", t.starting_balance_in_cents);
    to.add("ending_balance_in_cents", t.ending_balance_in_cents).add("gateway_used", payment ? "bogus" : "");
    to.add("gateway_transaction_id", payment ? "bogus-" + std::to_string(t.id) : "");
    to.add_nil({"gateway_response_code", "gateway_order_id"}).add_id("payment_id", t.payment_id);
    to.add("product_id", of.plan.id).add_nil("tax_id").add_id("component_id", t.component_id);
    to.add("statement_id", t.statement_id).add("customer_id", of.owner.id);
    if (payment) {
        to.add("card_number", of.paid_with.masked_number()).add("card_expiration", "10/2030");
        to.add("card_type", "visa").add("refunded_amount_in_cents", 0).add_nil("invoice_id");
    } else {
        to.add_nil({"original_amount_in_cents", "discount_amount_in_cents", "taxable_amount_in_cents"});
    }
}

void add_subscription_summary(body_writer& out, const subscription& s)
{
    hash_writer to(out, "payload[subscription]");
    to.add("id", s.id).add("state", s.state).add("balance_in_cents", s.balance_in_cents);
}

void add_customer_summary(body_writer& out, const customer& c)
{
    hash_writer to(out, "payload[customer]");
    to.add("id", c.id).add("first_name", c.first_name).add("last_name", c.last_name);
    to.add("reference", c.reference()).add("organization", c.organization).add("email", c.email());
}

void add_product_summary(body_writer& out, const product& p)
{
    hash_writer to(out, "payload[product]");
    to.add("id", p.id)
        .add("name", p.name)
        .add("product_family_id", family_id)
        .add("product_family_name", family_name);
}

void add_notice(body_writer& out, const subscription& s, std::string_view message,
                std::int64_t amount_in_cents)
{
    add_customer_summary(out, s.owner);
    out.add("payload[email_sent]", "true").add("payload[estimated_renewal_amount_in_cents]", amount_in_cents);
    out.add("payload[message]", message);
    hash_writer profile(out, "payload[payment_profile]");
    profile.add("id", s.paid_with.id)
        .add("first_name", s.owner.first_name)
        .add("last_name", s.owner.last_name);
    profile.add("card_type", "visa").add("masked_card_number", s.paid_with.masked_number());
    profile.add("expiration_month", 10).add("expiration_year", 2030);
    add_product_summary(out, s.plan);
    hash_writer to(out, "payload[subscription]");
    to.add("id", s.id).add("state", s.state).add("current_period_ends_at", s.current_period_ends_at);
}

void add_statement(body_writer& out, const statement& of, const subscription& s, const moment& settled_at,
                   sys_seconds updated_at)
{
    add_subscription_summary(out, s);
    add_customer_summary(out, s.owner);
    std::int64_t total = 0;
    for (const transaction& t : of.transactions)
        total += t.type == "Charge" ? t.amount_in_cents : 0;
    hash_writer to(out, "payload[statement]");
    to.add("closed_at", of.closed_at).add("created_at", of.closed_at).add("id", of.id);
    to.add("opened_at", of.opened_at).add("settled_at", settled_at).add("subscription_id", s.id);
    to.add("updated_at", updated_at).add("starting_balance_in_cents", 0);
    to.add("ending_balance_in_cents", s.balance_in_cents).add("total_in_cents", total);
    to.add("memo", "We thank you for your continued business!");
    for (std::size_t i = 0; i < of.events.size(); ++i) {
        hash_writer row = to.below("events").below(std::to_string(i));
        row.add("id", of.events[i].first).add("key", of.events[i].second);
        row.add("message", std::string(of.events[i].second) + " for " + s.owner.full_name());
    }
    for (std::size_t i = 0; i < of.transactions.size(); ++i)
        add_transaction(to.below("transactions").below(std::to_string(i)), of.transactions[i], s);
    hash_writer(out, "payload[product]").add("id", s.plan.id).add("name", s.plan.name);
    hash_writer(out, "payload[product_family]").add("id", family_id).add("name", family_name);
    hash_writer profile(out, "payload[payment_profile]");
    profile.add("id", s.paid_with.id)
        .add("first_name", s.owner.first_name)
        .add("last_name", s.owner.last_name);
    profile.add_nil({"billing_address", "billing_address_2", "billing_city"}).add("billing_country", "US");
    profile.add_nil("billing_state").add("billing_zip", "12345");
}

void add_dunning(body_writer& out, const subscription& s, sys_seconds attempted_at)
{
    hash_writer dunner(out, "payload[dunner]");
    dunner.add("state", "active").add("subscription_id", s.id);
    dunner.add("revenue_at_risk_in_cents", s.balance_in_cents).add("created_at", s.current_period_started_at);
    dunner.add("attempts", 1).add("last_attempted_at", attempted_at);
    for (const bool current : {true, false}) {
        hash_writer step(out, current ? "payload[current_step]" : "payload[next_step]");
        step.add("day_threshold", current ? 1 : 4).add("action", current ? "retry" : "cancel");
        step.add("email_body", "Please update your card.").add("email_subject", "Payment failed");
        step.add_flag("send_email", true).add_flag("send_bcc_email", false).add_flag("send_sms", false);
        step.add_nil("sms_body");
    }
}

} // namespace chargifyd::simulate

#include "chargifyd/state/words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace chargifyd::state {

namespace {

constexpr std::size_t length_of_time = 20; // YYYY-MM-DDTHH:MM:SSZ
constexpr std::size_t length_of_date = 10;

bool is_time(std::string_view text) noexcept
{
    return text.size() == length_of_time && text[4] == '-' && text[length_of_date] == 'T' &&
           text.back() == 'Z';
}

/// Times are told by their day.
std::string shown(std::string_view text)
{
    return std::string(is_time(text) ? text.substr(0, length_of_date) : text);
}

std::string value_of(const fact& f, std::string_view column, std::string_view otherwise = "nothing")
{
    const auto text = f.text(column);
    return text ? shown(*text) : std::string(otherwise);
}

std::string subject(const fact& f)
{
    const auto id = f.integer("subscription_id");
    return id ? "subscription " + std::to_string(*id) : "a subscription";
}

std::string customer(const fact& f)
{
    const auto id = f.integer("customer_id");
    return id ? "customer " + std::to_string(*id) : "the customer";
}

/// ` for subscription 15100141`, or nothing.
std::string for_subscription(const fact& f)
{
    return f.integer("subscription_id") ? " for " + subject(f) : std::string();
}

/// ` (detail)`, or nothing.
std::string aside(const std::optional<std::string_view>& text)
{
    return text ? " (" + shown(*text) + ")" : std::string();
}

std::string money(const fact& f)
{
    const auto cents = f.integer("amount_in_cents");
    return cents ? format_money(*cents, f.text("currency")) : "an unknown amount";
}

/// An amount that is kept as text.
std::string money_in(const fact& f, std::string_view column)
{
    const auto text = f.text(column).value_or(std::string_view());
    std::int64_t cents = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), cents);
    if (text.empty() || failed != std::errc() || end != text.data() + text.size())
        return value_of(f, column);
    return format_money(cents, f.text("currency"));
}

std::string from_to(const fact& f)
{
    const auto before = f.text("old_value");
    return (before ? " from " + shown(*before) : std::string()) + " to " + value_of(f, "new_value");
}

/// `component 'Seats'`, `invoice 1003`.
std::string object(const fact& f, std::string_view what)
{
    std::string all(what);
    if (const auto name = f.text("object_name"))
        return all + " '" + std::string(*name) + "'";
    if (const auto id = f.text("object_id"))
        all += " " + std::string(*id);
    return all;
}

std::string tell_allocation(const fact& f)
{
    return subject(f) + ": " + object(f, "component") + " changed" + from_to(f);
}

std::string tell_balance(const fact& f)
{
    std::string name(f.text("object_id").value_or("balance"));
    std::ranges::replace(name, '_', ' ');
    std::string text = subject(f) + ": " + name + " balance is now " + money_in(f, "new_value");
    if (const auto moved = f.integer("amount_in_cents"))
        text += ", moved by " + format_money(*moved, f.text("currency"));
    return text + aside(f.text("detail"));
}

std::string tell_billing_date(const fact& f)
{
    return subject(f) + ": billing date moved" + from_to(f);
}

std::string tell_cancellation(const fact& f)
{
    const auto now = f.text("new_value");
    if (now == "canceled")
        return subject(f) + " was canceled" + aside(f.text("detail"));
    if (now == "removed")
        return subject(f) + " is no longer to be canceled";
    if (now == "scheduled")
        return subject(f) + " is to be canceled at the end of its period";
    return subject(f) + " is to be canceled on " + value_of(f, "new_value");
}

std::string tell_card_expiring(const fact& f)
{
    return "card " + value_of(f, "new_value", "") + " expires soon" + for_subscription(f);
}

std::string tell_card_updated(const fact& f)
{
    if (!f.text("old_value"))
        return "card is now " + value_of(f, "new_value") + for_subscription(f);
    return "card changed" + from_to(f) + for_subscription(f);
}

std::string tell_created(const fact& f)
{
    const auto product = f.text("detail");
    return subject(f) + " was created as " + value_of(f, "new_value") +
           (product ? ", product " + std::string(*product) : std::string());
}

std::string tell_custom_field(const fact& f)
{
    const std::string of = f.integer("subscription_id") ? subject(f) : customer(f);
    const std::string field = of + ": field '" + std::string(f.text("object_id").value_or("")) + "'";
    if (f.text("detail") == "deleted")
        return field + " was removed";
    if (!f.text("old_value"))
        return field + " is now " + value_of(f, "new_value");
    return field + " changed" + from_to(f);
}

std::string tell_customer(const fact& f)
{
    return customer(f) + " was " + value_of(f, "new_value", "updated");
}

std::string tell_customer_change(const fact& f)
{
    return subject(f) + " moved from customer " + value_of(f, "old_value") + " to customer " +
           value_of(f, "new_value");
}

std::string tell_deletion(const fact& f)
{
    return subject(f) + " was deleted";
}

std::string tell_dunning(const fact& f)
{
    const auto at_risk = f.integer("amount_in_cents");
    const auto day = f.text("detail");
    return subject(f) + ": dunning" + (day ? " " + std::string(*day) : std::string()) + ", " +
           value_of(f, "new_value", "no action") +
           (at_risk ? ", " + format_money(*at_risk, f.text("currency")) + " at risk" : std::string());
}

std::string tell_expiration_date(const fact& f)
{
    if (!f.text("new_value"))
        return subject(f) + " no longer expires on " + value_of(f, "old_value");
    const auto before = f.text("old_value");
    return subject(f) + " expires on " + value_of(f, "new_value") +
           (before ? ", not on " + shown(*before) : std::string());
}

std::string tell_hold(const fact& f)
{
    const auto until = f.text("new_value");
    return subject(f) + " was put on hold" + (until ? " until " + shown(*until) : std::string());
}

std::string tell_invoice(const fact& f)
{
    const auto number = f.text("detail");
    const std::string which = number ? "invoice " + std::string(*number) : object(f, "invoice");
    return which + " over " + money(f) + " is " + value_of(f, "new_value") + for_subscription(f);
}

std::string tell_payment(const fact& f)
{
    return "paid " + money(f) + for_subscription(f);
}

std::string tell_payment_failed(const fact& f)
{
    return "payment of " + money(f) + " failed" + for_subscription(f);
}

std::string tell_price_point(const fact& f)
{
    const bool of_product = f.text("detail") == "Product";
    return subject(f) + ": price point of " + object(f, of_product ? "product" : "component") + " changed" +
           from_to(f);
}

std::string tell_product(const fact& f)
{
    return subject(f) + " changed from product " + value_of(f, "old_value") + " to " +
           value_of(f, "new_value") + aside(f.text("detail"));
}

std::string tell_product_scheduled(const fact& f)
{
    if (!f.text("new_value"))
        return subject(f) + " is no longer to change to product " + value_of(f, "old_value");
    return subject(f) + " is to change to product " + value_of(f, "new_value") + " at its renewal";
}

std::string tell_reactivation(const fact& f)
{
    return subject(f) + " was reactivated, from " + value_of(f, "old_value") + " to " +
           value_of(f, "new_value");
}

std::string tell_refund(const fact& f)
{
    return "refunded " + money(f) + aside(f.text("detail")) + for_subscription(f);
}

std::string tell_refund_failed(const fact& f)
{
    return "refund of " + money(f) + aside(f.text("detail")) + " failed" + for_subscription(f);
}

std::string tell_renewal(const fact& f)
{
    return subject(f) + " renewed until " + value_of(f, "new_value", "an unknown day");
}

std::string tell_resume(const fact& f)
{
    return subject(f) + " was resumed as " + value_of(f, "new_value");
}

std::string tell_state(const fact& f)
{
    return subject(f) + " went" + from_to(f);
}

std::string tell_statement(const fact& f)
{
    return object(f, "statement") + " over " + money(f) + " was " + value_of(f, "new_value") +
           for_subscription(f);
}

std::string tell_trial_ended(const fact& f)
{
    return subject(f) + ": trial ended, now " + value_of(f, "new_value");
}

std::string tell_trial_started(const fact& f)
{
    const auto until = f.text("new_value");
    return subject(f) + ": trial started" + (until ? ", until " + shown(*until) : std::string());
}

std::string tell_usage(const fact& f)
{
    const auto used = f.text("detail");
    return subject(f) + ": " + object(f, "component") + (used ? " used " + std::string(*used) : " counted") +
           ", balance is now " + value_of(f, "new_value");
}

struct kind_words {
    std::string_view kind;
    std::string (*tell)(const fact&);
};

constexpr std::array words{
    kind_words{"allocation", tell_allocation},
    kind_words{"balance", tell_balance},
    kind_words{"billing_date", tell_billing_date},
    kind_words{"cancellation", tell_cancellation},
    kind_words{"card_expiring", tell_card_expiring},
    kind_words{"card_updated", tell_card_updated},
    kind_words{"created", tell_created},
    kind_words{"custom_field", tell_custom_field},
    kind_words{"customer", tell_customer},
    kind_words{"customer_change", tell_customer_change},
    kind_words{"deletion", tell_deletion},
    kind_words{"dunning", tell_dunning},
    kind_words{"expiration_date", tell_expiration_date},
    kind_words{"hold", tell_hold},
    kind_words{"invoice", tell_invoice},
    kind_words{"payment", tell_payment},
    kind_words{"payment_failed", tell_payment_failed},
    kind_words{"price_point", tell_price_point},
    kind_words{"product", tell_product},
    kind_words{"product_scheduled", tell_product_scheduled},
    kind_words{"reactivation", tell_reactivation},
    kind_words{"refund", tell_refund},
    kind_words{"refund_failed", tell_refund_failed},
    kind_words{"renewal", tell_renewal},
    kind_words{"resume", tell_resume},
    kind_words{"state", tell_state},
    kind_words{"statement", tell_statement},
    kind_words{"trial_ended", tell_trial_ended},
    kind_words{"trial_started", tell_trial_started},
    kind_words{"usage", tell_usage},
};
static_assert(std::ranges::is_sorted(words, {}, &kind_words::kind));

constexpr auto kinds = [] {
    std::array<std::string_view, words.size()> all;
    std::ranges::transform(words, all.begin(), &kind_words::kind);
    return all;
}();

constexpr std::array<std::string_view, 4> money_words{"payment", "payment_failed", "refund", "refund_failed"};

} // namespace

const value* fact::find(std::string_view column) const noexcept
{
    const auto found = std::ranges::find(columns_, column, &result_column::name);
    return found != columns_.end() ? &row_[static_cast<std::size_t>(found - columns_.begin())] : nullptr;
}

std::optional<std::string_view> fact::text(std::string_view column) const noexcept
{
    const value* const v = find(column);
    const auto* const text = v != nullptr ? std::get_if<std::string>(v) : nullptr;
    return text != nullptr ? std::optional<std::string_view>(*text) : std::nullopt;
}

std::optional<std::int64_t> fact::integer(std::string_view column) const noexcept
{
    const value* const v = find(column);
    const auto* const number = v != nullptr ? std::get_if<std::int64_t>(v) : nullptr;
    return number != nullptr ? std::optional(*number) : std::nullopt;
}

std::span<const std::string_view> change_kinds() noexcept
{
    return kinds;
}

bool is_change_kind(std::string_view kind) noexcept
{
    return std::ranges::binary_search(kinds, kind);
}

std::span<const std::string_view> money_kinds() noexcept
{
    return money_words;
}

std::string describe(const fact& f)
{
    const std::string_view kind = f.text("kind").value_or("change");
    const auto found = std::ranges::lower_bound(words, kind, {}, &kind_words::kind);
    if (found != words.end() && found->kind == kind)
        return found->tell(f);
    return subject(f) + ": " + std::string(kind) + from_to(f) + aside(f.text("detail"));
}

std::string format_money(std::int64_t cents, std::optional<std::string_view> currency)
{
    // Of the least integer there is no positive one.
    const auto amount = cents < 0 ? 0 - static_cast<std::uint64_t>(cents) : static_cast<std::uint64_t>(cents);
    const std::string fraction = std::to_string(amount % 100);
    std::string text = (cents < 0 ? "-" : "") + std::to_string(amount / 100) + "." +
                       (fraction.size() < 2 ? "0" : "") + fraction;
    if (currency && !currency->empty())
        text += " " + std::string(*currency);
    return text;
}

} // namespace chargifyd::state

#include "load_body.hpp"
#include "payload.hpp"

#include <algorithm>
#include <iterator>

namespace chargifyd::simulate {

namespace {

/// Without these a receiver could not tell what the webhook is about.
bool is_needed(std::string_view key)
{
    static constexpr std::string_view roots[] = {"id", "event", "payload[event_id]"};
    static constexpr std::string_view paths[] = {"payload[site]", "payload[subscription]",
                                                 "payload[subscription][customer]",
                                                 "payload[subscription][product]", "payload[transaction]"};
    static constexpr std::string_view names[] = {"id",
                                                 "subdomain",
                                                 "state",
                                                 "previous_state",
                                                 "created_at",
                                                 "updated_at",
                                                 "balance_in_cents",
                                                 "current_period_started_at",
                                                 "current_period_ends_at",
                                                 "next_assessment_at",
                                                 "email",
                                                 "reference",
                                                 "first_name",
                                                 "last_name",
                                                 "name",
                                                 "handle",
                                                 "memo",
                                                 "price_in_cents",
                                                 "interval",
                                                 "interval_unit",
                                                 "subscription_id",
                                                 "customer_id",
                                                 "type",
                                                 "success",
                                                 "amount_in_cents"};
    if (std::ranges::find(roots, key) != std::end(roots))
        return true;
    const std::size_t open = key.rfind('[');
    return std::ranges::find(paths, key.substr(0, open)) != std::end(paths) &&
           std::ranges::find(names, key.substr(open + 1, key.size() - open - 2)) != std::end(names);
}

std::vector<std::string_view> split(std::string_view body)
{
    std::vector<std::string_view> pairs;
    for (std::size_t at = 0; at <= body.size();) {
        const std::size_t end = std::min(body.find('&', at), body.size());
        pairs.push_back(body.substr(at, end - at));
        at = end + 1;
    }
    return pairs;
}

std::string_view key_of(std::string_view pair)
{
    return pair.substr(0, pair.find('='));
}

/// One more page of the array that every product has.
std::string signup_page()
{
    body_writer out;
    hash_writer page(out, "payload[subscription][product][public_signup_pages]");
    page.add("id", 99)
        .add_nil("return_url")
        .add_nil("return_params")
        .add("url", "https://example.com/subscribe");
    return out.str();
}

} // namespace

/// The pairs that are needed, then as
/// many of the others as there is room for, then more signup pages; a longer memo makes up for the rest.
std::string fit_payment(std::string whole, std::size_t bytes)
{
    ++bytes; // each pair is counted with one byte for what separates it
    std::vector<std::string_view> pairs = split(whole);
    std::size_t size = 0;
    for (const std::string_view pair : pairs)
        size += is_needed(key_of(pair)) ? pair.size() + 1 : 0;
    std::erase_if(pairs, [&size, bytes](std::string_view pair) {
        if (is_needed(key_of(pair)))
            return false;
        const bool room = size + pair.size() <= bytes;
        size += room ? pair.size() + 1 : 0;
        return !room;
    });
    const std::string page = signup_page();
    std::string out;
    out.reserve(bytes);
    for (const std::string_view pair : pairs) {
        if (key_of(pair) == "payload[subscription][credit_card][id]")
            for (; size + page.size() + 1 <= bytes; size += page.size() + 1)
                out.append(page).append("&");
        out.append(pair);
        if (key_of(pair) == "payload[transaction][memo]" && size < bytes)
            out.append(bytes - size, 'x');
        out += '&';
    }
    out.pop_back();
    return out;
}

} // namespace chargifyd::simulate

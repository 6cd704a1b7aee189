#pragma once

#include "payload.hpp"

#include "chargifyd/simulate/body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

/// A payment_success of a given size that is written once; what differs from one webhook to the next is put
/// into copies of it. One thread.
class load_template {
public:
    load_template(std::string site, std::size_t bytes)
        : site_(std::move(site))
        , bytes_(bytes)
    {
        cut(shortened(whole_body(), bytes + 1));
    }

    bool is_for(std::string_view site, std::size_t bytes) const noexcept
    {
        return site_ == site && bytes_ == bytes;
    }

    webhook fill(std::uint64_t n, std::uint64_t subscriptions) const
    {
        const auto number = static_cast<std::int64_t>(n % largest_number);
        const auto member = static_cast<std::int64_t>(n % std::max<std::uint64_t>(subscriptions, 1));
        const std::array<std::int64_t, marks.size()> ids{
            first_webhook + number,   first_event + number,        first_transaction + number,
            first_statement + number, first_subscription + member, first_customer + member,
            first_card + member};
        webhook out;
        out.id = ids[0];
        out.event = "payment_success";
        out.body.reserve(length_ + 64);
        const std::string time = written_time(number);
        for (const piece& p : pieces_) {
            out.body += p.before;
            if (p.then < ids.size())
                append_number(out.body, ids[p.then]);
            else if (p.then == time_mark)
                out.body += time;
        }
        return out;
    }

private:
    // Ten and more digits for what is unique in Chargify, eight for the objects of a site; a life's are
    // elsewhere.
    static constexpr std::int64_t first_webhook = 10'000'000'000;
    static constexpr std::int64_t first_event = 20'000'000'000;
    static constexpr std::int64_t first_transaction = 30'000'000'000;
    static constexpr std::int64_t first_statement = 40'000'000'000;
    static constexpr std::int64_t first_subscription = 20'000'000;
    static constexpr std::int64_t first_customer = 30'000'000;
    static constexpr std::int64_t first_card = 40'000'000;
    static constexpr std::uint64_t largest_number = std::uint64_t{1} << 62;
    static constexpr std::int64_t longest_rise = 8'000'000'000; // seconds; years of four digits for as long

    // Stand in the body for what is filled in; as long as what usually comes, and nowhere else in it.
    static constexpr std::array<std::int64_t, 7> marks{98765432101, 98765432102, 98765432103, 98765432104,
                                                       98765405,    98765406,    98765407};
    static constexpr std::chrono::sys_seconds marked_time{std::chrono::seconds{981'173'106}};

    struct piece {
        std::string before;
        std::size_t then; ///< which of the ids comes here, or the time, or nothing
    };
    static constexpr std::size_t time_mark = marks.size();
    static constexpr std::size_t no_mark = time_mark + 1;

    static void append_number(std::string& out, std::int64_t number)
    {
        std::array<char, 20> digits;
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
        out.append(digits.data(), end);
    }

    static std::string encoded_time(std::chrono::sys_seconds when)
    {
        body_writer out;
        out.add("", eastern_time(when));
        return out.str().substr(1);
    }

    /// One second later from each to the next, so that a later webhook is always the newer one.
    static std::string written_time(std::int64_t number)
    {
        using namespace std::chrono;
        return encoded_time(sys_days(2026y / January / 1) + seconds(number % longest_rise));
    }

    std::string whole_body() const
    {
        using namespace std::chrono;
        const sys_seconds start = sys_days(2026y / January / 1) + 15h;
        subscription s;
        s.id = marks[4];
        s.state = s.previous_state = "active";
        s.activated_at = s.created_at = start - days(365);
        s.updated_at = marked_time;
        s.current_period_started_at = start;
        s.current_period_ends_at = s.next_assessment_at = start + days(31);
        s.total_revenue_in_cents = 12 * 2900;
        s.signup_payment_id = 1'400'000'000;
        s.signup_revenue_in_cents = 2900;
        s.owner = {marks[5],   "Load",          "Example",         "Acme, Inc.",
                   "555-0100", "Pleasantville", start - days(365), start - days(30)};
        s.plan = {3'700'002, "Team", "team", 2900};
        s.paid_with = {marks[6], "1111", "tok_load", "cus_load"};
        transaction t{marks[2],   "Payment", "", 2900, 2900, 0, "Load Example - Team: Renewal payment",
                      marked_time};
        t.statement_id = marks[3];

        body_writer out;
        out.add("id", marks[0]).add("event", "payment_success");
        add_site(out, site_);
        add_subscription(out, s, site_);
        add_transaction({out, "payload[transaction]"}, t, s);
        out.add("payload[event_id]", marks[1]);
        return out.str();
    }

    /// Without these a receiver could not tell what the webhook is about.
    static bool is_needed(std::string_view key)
    {
        static constexpr std::string_view roots[] = {"id", "event", "payload[event_id]"};
        static constexpr std::string_view paths[] = {
            "payload[site]", "payload[subscription]", "payload[subscription][customer]",
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

    static std::vector<std::string_view> split(std::string_view body)
    {
        std::vector<std::string_view> pairs;
        for (std::size_t at = 0; at <= body.size();) {
            const std::size_t end = std::min(body.find('&', at), body.size());
            pairs.push_back(body.substr(at, end - at));
            at = end + 1;
        }
        return pairs;
    }

    static std::string_view key_of(std::string_view pair) { return pair.substr(0, pair.find('=')); }

    /// One more page of the array that every product has.
    static std::string signup_page()
    {
        body_writer out;
        hash_writer page(out, "payload[subscription][product][public_signup_pages]");
        page.add("id", 99)
            .add_nil("return_url")
            .add_nil("return_params")
            .add("url", "https://example.com/subscribe");
        return out.str();
    }

    /// At most so many bytes, each pair with one for what separates it. The pairs that are needed, then as
    /// many of the others as there is room for, then more signup pages; a longer memo makes up for the rest.
    static std::string shortened(const std::string& whole, std::size_t bytes)
    {
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

    void cut(std::string_view text)
    {
        std::array<std::string, no_mark> written;
        for (std::size_t i = 0; i < marks.size(); ++i)
            written[i] = std::to_string(marks[i]);
        written[time_mark] = encoded_time(marked_time);
        length_ = text.size();
        while (!text.empty()) {
            std::size_t next = text.size();
            std::size_t mark = no_mark;
            for (std::size_t i = 0; i < written.size(); ++i)
                if (const std::size_t found = text.find(written[i]); found < next) {
                    next = found;
                    mark = i;
                }
            pieces_.push_back({std::string(text.substr(0, next)), mark});
            text.remove_prefix(next + (mark == no_mark ? 0 : written[mark].size()));
        }
    }

    std::string site_;
    std::size_t bytes_;
    std::size_t length_ = 0;
    std::vector<piece> pieces_;
};

} // namespace chargifyd::simulate

#include "marked_body.hpp"

#include "chargifyd/base/time.hpp"

#include <charconv>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;
using index = body_numbers::index;

// Stand in the body for what is filled in: as long as what usually comes, and nowhere else in it.
constexpr std::array<std::int64_t, index::count> marks{98765432101, 98765432102, 98765432103,
                                                       98765432104, 98765432105, 98765432106,
                                                       98765407,    98765408,    98765409};
constexpr sys_seconds marked_time{981'173'106s};

constexpr std::size_t eastern_mark = index::count;
constexpr std::size_t utc_mark = index::count + 1;
constexpr std::size_t no_mark = index::count + 2;

std::string encoded(std::string_view text)
{
    body_writer out;
    out.add("", text);
    return out.str().substr(1);
}

void append_number(std::string& out, std::int64_t number)
{
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

template <class Time>
void mark_time(Time& when, sys_seconds at)
{
    if (when == at)
        when = marked_time;
}

void mark_statement(scene& s)
{
    s.bill.id = s.payment.statement_id = marks[index::statement];
    s.bill.closed_at = marked_time;
    mark_time(s.bill.settled_at, s.at);
    s.bill.events = {{marks[index::event], "renewal_success"}};
    for (transaction& t : s.bill.transactions) {
        t.id = t.type == "Charge" ? marks[index::charge] : marks[index::payment];
        t.payment_id = t.type == "Charge" ? marks[index::payment] : 0;
        t.statement_id = marks[index::statement];
        t.created_at = marked_time;
    }
}

void mark_subscription(subscription& sub, sys_seconds at)
{
    sub.id = marks[index::subscription];
    sub.owner.id = marks[index::customer];
    sub.paid_with.id = marks[index::profile];
    sub.updated_at = marked_time;
    mark_time(sub.created_at, at);
    mark_time(sub.activated_at, at);
    mark_time(sub.current_period_started_at, at);
    mark_time(sub.canceled_at, at);
    if (!sub.group.uid.empty())
        sub.group = {"grp_example" + std::to_string(marks[index::subscription]), marks[index::subscription]};
}

void mark(scene& s)
{
    s.webhook_id = marks[index::webhook];
    s.event_id = marks[index::event];
    s.payment.id = s.refunded.payment_id = s.usage.payment_id = marks[index::payment];
    s.payment.created_at = marked_time;
    s.refunded.id = s.usage.allocation_id = s.issued.number = marks[index::other];
    s.issued.uid = "inv_example" + std::to_string(marks[index::other]);
    mark_statement(s);
    mark_subscription(s.subject, s.at);
    s.at = marked_time;
}

} // namespace

marked_body::marked_body(std::string_view event, scene of, std::string (*fit)(std::string, std::size_t),
                         std::size_t bytes)
    : event_(event)
{
    mark(of);
    std::string body = event_webhook(event, of).body;
    cut(fit == nullptr ? body : fit(std::move(body), bytes));
}

std::string marked_body::fill(const body_numbers& with) const
{
    std::string out;
    out.reserve(length_ + 64);
    std::string eastern;
    std::string utc;
    for (const piece& p : pieces_) {
        out += p.before;
        if (p.then < with.ids.size()) {
            append_number(out, with.ids[p.then]);
        } else if (p.then == eastern_mark) {
            if (eastern.empty())
                eastern = encoded(eastern_time(with.at));
            out += eastern;
        } else if (p.then == utc_mark) {
            if (utc.empty())
                utc = encoded(format_utc(with.at));
            out += utc;
        }
    }
    return out;
}

void marked_body::cut(std::string_view text)
{
    std::array<std::string, no_mark> written;
    for (std::size_t i = 0; i < marks.size(); ++i)
        written[i] = std::to_string(marks[i]);
    written[eastern_mark] = encoded(eastern_time(marked_time));
    written[utc_mark] = encoded(format_utc(marked_time));
    length_ = text.size();
    while (!text.empty()) {
        std::size_t next = text.size();
        std::size_t which = no_mark;
        for (std::size_t i = 0; i < written.size(); ++i)
            if (const std::size_t found = text.find(written[i]); found < next) {
                next = found;
                which = i;
            }
        pieces_.push_back({std::string(text.substr(0, next)), which});
        text.remove_prefix(next + (which == no_mark ? 0 : written[which].size()));
    }
}

} // namespace chargifyd::simulate

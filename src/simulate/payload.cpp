#include "payload.hpp"

#include <array>

namespace chargifyd::simulate {

namespace {

using namespace std::chrono;

/// From the second Sunday of March to the first Sunday of November, at two o'clock local time.
bool is_daylight_time(sys_seconds when) noexcept
{
    const year y = year_month_day(floor<days>(when - hours(5))).year();
    const sys_seconds begins = sys_days(y / March / Sunday[2]) + hours(7);
    const sys_seconds ends = sys_days(y / November / Sunday[1]) + hours(6);
    return when >= begins && when < ends;
}

/// The last `width` digits of `number`.
void append_padded(std::string& out, unsigned number, std::size_t width)
{
    out.append(width, '0');
    for (std::size_t i = 1; i <= width; ++i, number /= 10)
        out[out.size() - i] = static_cast<char>('0' + number % 10);
}

/// A moment of some zone, as its wall clock shows it.
struct wall_clock {
    explicit wall_clock(sys_seconds local)
        : day(floor<days>(local))
        , date(day)
        , second(static_cast<unsigned>((local - day).count()))
    {}

    std::string written_date() const
    {
        std::string out;
        out.reserve(35);
        append_padded(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
        out += '-';
        append_padded(out, static_cast<unsigned>(date.month()), 2);
        out += '-';
        append_padded(out, static_cast<unsigned>(date.day()), 2);
        return out;
    }

    void append_time(std::string& out) const
    {
        append_padded(out, second / 3600, 2);
        out += ':';
        append_padded(out, second / 60 % 60, 2);
        out += ':';
        append_padded(out, second % 60, 2);
    }

    sys_days day;
    year_month_day date;
    unsigned second;
};

} // namespace

std::string eastern_time(sys_seconds when)
{
    const bool daylight = is_daylight_time(when);
    const wall_clock clock(when - hours(daylight ? 4 : 5));
    std::string out = clock.written_date() + ' ';
    clock.append_time(out);
    return out.append(daylight ? " -0400" : " -0500");
}

std::string inspected_time(sys_seconds when)
{
    static constexpr std::array<std::string_view, 7> days_of_week{"Sun", "Mon", "Tue", "Wed",
                                                                  "Thu", "Fri", "Sat"};
    static constexpr std::array<std::string_view, 12> months_of_year{
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const bool daylight = is_daylight_time(when);
    const wall_clock clock(when - hours(daylight ? 4 : 5));
    std::string out(days_of_week[weekday(clock.day).c_encoding()]);
    out += ", ";
    append_padded(out, static_cast<unsigned>(clock.date.day()), 2);
    out.append(" ").append(months_of_year[static_cast<unsigned>(clock.date.month()) - 1]).append(" ");
    append_padded(out, static_cast<unsigned>(static_cast<int>(clock.date.year())), 4);
    out += ' ';
    clock.append_time(out);
    return out.append(daylight ? ".000000000 EDT -04:00" : ".000000000 EST -05:00");
}

std::string zoneless_time(sys_seconds when)
{
    const wall_clock clock(when);
    std::string out = clock.written_date() + ' ';
    clock.append_time(out);
    return out.append(" -0000");
}

std::string decimal(std::int64_t cents)
{
    const std::int64_t size = cents < 0 ? -cents : cents;
    std::string out = (cents < 0 ? "-" : "") + std::to_string(size / 100) + ".";
    append_padded(out, static_cast<unsigned>(size % 100), 2);
    return out;
}

std::string_view to_string(payment_method m) noexcept
{
    switch (m) {
    case payment_method::credit_card:
        return "credit_card";
    case payment_method::bank_account:
        return "bank_account";
    case payment_method::paypal_account:
        return "paypal_account";
    }
    return "credit_card";
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

hash_writer& hash_writer::add_own_id(std::int64_t value)
{
    return value == nil_id ? add_nil("id") : add("id", value);
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

void add_site(body_writer& to, std::string_view subdomain)
{
    std::int64_t number = 10007;
    for (const char c : subdomain)
        number = (number * 31 + static_cast<unsigned char>(c)) % 90000;
    hash_writer(to, "payload[site]").add("id", 10000 + number).add("subdomain", subdomain);
}

void add_customer_summary(body_writer& out, const scene& of)
{
    const customer& c = of.subject.owner;
    hash_writer to(out, "payload[customer]");
    to.add_own_id(c.id).add("first_name", c.first_name).add("last_name", c.last_name);
    to.add("reference", c.reference()).add("organization", c.organization).add("email", c.email());
}

void add_product_summary(body_writer& out, const scene& of)
{
    hash_writer to(out, "payload[product]");
    to.add("id", of.subject.plan.id).add("name", of.subject.plan.name);
    to.add("product_family_id", of.style == body_style::panel ? 0 : family_id);
    to.add("product_family_name", family_name);
}

void add_subscription_summary(body_writer& out, const scene& of)
{
    hash_writer to(out, "payload[subscription]");
    to.add_own_id(of.subject.id).add("state", of.subject.state);
    to.add("balance_in_cents", of.subject.balance_in_cents);
}

void add_who(body_writer& out, const scene& of)
{
    hash_writer(out, "payload[subscription]").add_own_id(of.subject.id).add("state", of.subject.state);
    hash_writer(out, "payload[customer]")
        .add_own_id(of.subject.owner.id)
        .add("email", of.subject.owner.email());
}

} // namespace chargifyd::simulate

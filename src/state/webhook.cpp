#include "chargifyd/state/webhook.hpp"

#include "payload.hpp"

#include "chargifyd/chargify/envelope.hpp"
#include "chargifyd/chargify/events.hpp"
#include "chargifyd/chargify/form.hpp"
#include "chargifyd/chargify/sha256.hpp"

#include <algorithm>
#include <exception>

namespace chargifyd::state {

namespace {

using chargify::envelope;
using chargify::form;

constexpr std::size_t longest_event_name = 200;

bool same_site(std::string_view a, std::string_view b)
{
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

void read_envelope_into(const envelope& e, webhook& w)
{
    w.event = chargify::clean_utf8(e.event.substr(0, longest_event_name));
    w.webhook_id = e.webhook_id;
    w.event_id = e.event_id;
    w.subscription_id = e.subscription_id;
    w.customer_id = e.customer_id;
    if (e.occurred_at)
        w.occurred_at = format_utc(*e.occurred_at);
    w.test = e.test;
    w.known_event = chargify::find_event(e.event) != nullptr;
    if (e.subdomain && !same_site(*e.subdomain, w.site)) {
        w.error = "the body names the site '" + chargify::clean_utf8(e.subdomain->substr(0, 63)) +
                  "' but was posted to, and signed for, '" + w.site + "'";
        return;
    }
    if (w.test)
        return;
    w.observations = observe(e);
    w.timeline = read_timeline(e, w.observations);
    w.facts = read_facts(e, w.observations);
}

} // namespace

std::string_view to_string(outcome o) noexcept
{
    switch (o) {
    case outcome::applied:
        return "applied";
    case outcome::unchanged:
        return "unchanged";
    case outcome::stale:
        return "stale";
    case outcome::test:
        return "test";
    case outcome::unknown:
        return "unknown";
    case outcome::dead:
        return "dead";
    }
    return "dead";
}

webhook prepare(std::uint64_t sequence, std::string_view site, timestamp received_at, std::string_view body)
{
    webhook w;
    w.sequence = sequence;
    w.site = site;
    w.received_at = received_at;
    try {
        auto tree = form::parse(body);
        if (!tree) {
            w.error = tree.error().message;
        } else if (auto e = chargify::read_envelope(std::move(*tree)); !e) {
            w.error = e.error().message;
        } else {
            read_envelope_into(*e, w);
        }
    } catch (const std::bad_alloc&) {
        throw; // the webhook is not to blame: it is read again
    } catch (const std::exception& unexpected) {
        w.observations.clear();
        w.timeline.reset();
        w.facts.clear();
        w.error = std::string("internal error while reading: ") + unexpected.what();
    }
    if (!w.webhook_id)
        w.body_sha256 = chargify::sha256(body);
    return w;
}

} // namespace chargifyd::state

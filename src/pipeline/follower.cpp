#include "chargifyd/pipeline/follower.hpp"

#include "parse_pool.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/chargify/events.hpp"
#include "chargifyd/state/projection.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <thread>
#include <tuple>

namespace chargifyd::pipeline {

namespace {

/// Fewer webhooks than this are parsed where they are: handing them over would cost more.
constexpr std::size_t worth_handing_over = 8;

unsigned worker_count(const options& with)
{
    return with.workers != 0 ? with.workers : std::max(1U, std::thread::hardware_concurrency());
}

} // namespace

struct follower::implementation {
    implementation(std::filesystem::path directory_, journal::file_system& files_, state::store& into_,
                   options with_, metrics::registry* instruments_)
        : directory(std::move(directory_))
        , files(files_)
        , into(into_)
        , with(with_)
        , instruments(instruments_)
        , chunks(worker_count(with_) + 1)
        , pool(worker_count(with_))
    {}

    result<void> open_source();
    result<bool> fill(chunk& c, std::uint64_t up_to);
    void read_ahead(std::uint64_t up_to, const std::stop_token& stop);
    result<std::uint64_t> advance_round(std::uint64_t up_to, const std::stop_token& stop,
                                        const std::function<void(const progress&)>& on_commit);
    void abandon();
    result<void> apply_chunk(chunk& c, state::row_cache& rows);
    /// When the rows of webhooks are written: together, once for a transaction, or after each webhook, so
    /// that it is known which one's the store refuses.
    enum class writing { once, after_each };
    void apply_all(chunk& c, state::row_cache& rows, writing how, std::size_t& at);
    void count(const state::webhook& w, const state::applied_webhook& done);
    result<bool> retry_one(std::uint64_t sequence);

    const std::filesystem::path directory;
    journal::file_system& files;
    state::store& into;
    const options with;
    metrics::registry* const instruments;

    std::optional<journal::reader> source;
    std::uint64_t cursor = 0;
    std::vector<chunk> chunks;
    std::vector<state::applied_webhook> results; ///< of the chunk that is applied

    /// One call of `advance`.
    struct round_state {
        std::deque<chunk*> in_flight; ///< in the journal's order
        std::size_t next = 0;         ///< the chunk to fill next
        bool exhausted = false;       ///< nothing more to read
        std::optional<error> failed;  ///< why reading ended early
    } round;

    std::map<std::tuple<std::string, std::string, std::string>, metrics::counter> counters;
    parse_pool pool; // last: its threads end before the chunks go
};

follower::follower(std::filesystem::path journal_directory, journal::file_system& files, state::store& into,
                   options with, metrics::registry* instruments)
    : impl_(std::make_unique<implementation>(std::move(journal_directory), files, into, with, instruments))
{}

follower::~follower() = default;

void follower::restart()
{
    impl_->source.reset();
}

result<void> follower::implementation::open_source()
{
    cursor = into.cursor();
    auto opened = journal::reader::open(directory, files, cursor);
    if (!opened)
        return opened.error();
    source.emplace(std::move(*opened));
    return {};
}

/// Reads the next webhooks into the chunk. False: there are none.
result<bool> follower::implementation::fill(chunk& c, std::uint64_t up_to)
{
    c.count = 0;
    std::size_t bytes = 0;
    while (c.count < with.batch_webhooks && bytes < with.batch_bytes) {
        if (c.count == c.records.size())
            c.records.emplace_back();
        const auto got = source->next(c.records[c.count], up_to);
        if (!got)
            return got.error();
        if (!*got)
            break;
        bytes += c.records[c.count].body.size();
        ++c.count;
    }
    return c.count > 0;
}

void follower::implementation::apply_all(chunk& c, state::row_cache& rows, writing how, std::size_t& at)
{
    results.clear();
    into.begin();
    for (at = 0; at < c.count; ++at) {
        results.push_back(state::apply(into, rows, c.webhooks[at]));
        if (how == writing::after_each)
            rows.flush();
    }
    rows.flush();
    into.commit(c.records[c.count - 1].sequence);
    if (rows.bytes() > with.kept_row_bytes)
        rows.clear();
}

/// One transaction. A webhook that the store refuses is made a dead letter and the transaction repeated, so
/// that one webhook can neither stop the others nor be lost.
result<void> follower::implementation::apply_chunk(chunk& c, state::row_cache& rows)
{
    for (auto how = writing::once;;) {
        std::size_t at = 0;
        try {
            apply_all(c, rows, how, at);
            break;
        } catch (const std::exception& e) {
            rows.clear();
            into.rollback();
            const bool of_webhook = state::is_fault_of_webhook(e);
            if (of_webhook && how == writing::once) {
                how = writing::after_each;
                continue;
            }
            if (at >= c.count || !c.webhooks[at].error.empty() || !of_webhook)
                return make_error(errc::io, std::string("cannot write the state: ") + e.what());
            c.webhooks[at].error = std::string("internal error while applying: ") + e.what();
            log::error("a webhook could not be applied and became a dead letter",
                       {{"sequence", c.webhooks[at].sequence}, {"error", e.what()}});
        }
    }
    cursor = c.records[c.count - 1].sequence;
    for (std::size_t i = 0; i < c.count; ++i)
        count(c.webhooks[i], results[i]);
    return {};
}

void follower::implementation::count(const state::webhook& w, const state::applied_webhook& done)
{
    if (instruments == nullptr)
        return;
    // Only catalogued names become labels: a sender must not be able to make series without end.
    std::string event = w.known_event ? w.event : "other";
    std::string outcome = done.duplicate ? "duplicate" : std::string(state::to_string(done.result));
    const auto key = std::make_tuple(w.site, std::move(event), std::move(outcome));
    auto found = counters.find(key);
    if (found == counters.end()) {
        const metrics::labels labels = {
            {"site", std::get<0>(key)}, {"event", std::get<1>(key)}, {"outcome", std::get<2>(key)}};
        found = counters
                    .emplace(key, instruments->make_counter("events_total", "Webhooks applied, by outcome.",
                                                            labels))
                    .first;
    }
    found->second.add();
}

/// Fills free chunks and hands them to the pool, until all are in flight or the journal holds no more.
void follower::implementation::read_ahead(std::uint64_t up_to, const std::stop_token& stop)
{
    while (!round.exhausted && round.in_flight.size() < chunks.size()) {
        chunk& c = chunks[round.next];
        const auto filled = stop.stop_requested() ? result<bool>(false) : fill(c, up_to);
        if (!filled)
            round.failed = filled.error();
        if (!filled || !*filled) {
            round.exhausted = true;
            return;
        }
        round.next = (round.next + 1) % chunks.size();
        c.handed_over = c.count >= worth_handing_over || !round.in_flight.empty();
        round.in_flight.push_back(&c);
        if (c.handed_over)
            pool.submit(c);
    }
}

/// Lets the pool finish what it was given and forgets it: after a failure the journal is read again from the
/// cursor.
void follower::implementation::abandon()
{
    for (chunk* const c : round.in_flight) {
        if (c->handed_over)
            pool.wait(*c);
    }
    source.reset();
}

result<std::uint64_t> follower::advance(std::uint64_t up_to, std::stop_token stop,
                                        const std::function<void(const progress&)>& on_commit)
{
    implementation& my = *impl_;
    if (!my.source) {
        if (auto opened = my.open_source(); !opened)
            return opened.error();
    }
    my.round = {};
    try {
        return my.advance_round(up_to, stop, on_commit);
    } catch (...) {
        my.abandon(); // the pool must not go on with what the next round fills anew
        throw;
    }
}

result<std::uint64_t>
follower::implementation::advance_round(std::uint64_t up_to, const std::stop_token& stop,
                                        const std::function<void(const progress&)>& on_commit)
{
    state::row_cache rows(into); // for this round: between rounds others may change them
    for (;;) {
        read_ahead(up_to, stop);
        if (round.in_flight.empty())
            break;
        chunk& first = *round.in_flight.front();
        round.in_flight.pop_front();
        if (first.handed_over)
            pool.wait(first);
        else
            parse(first);
        const result<void> applied =
            first.out_of_memory ? result<void>(make_error(errc::io, "cannot read webhooks: out of memory"))
                                : apply_chunk(first, rows);
        if (!applied) {
            abandon();
            return applied.error();
        }
        if (on_commit)
            on_commit({cursor, first.records[first.count - 1].received_at});
    }
    if (round.failed) {
        source.reset();
        return *round.failed;
    }
    return cursor;
}

result<bool> follower::implementation::retry_one(std::uint64_t sequence)
{
    auto opened = journal::reader::open(directory, files, sequence - 1);
    if (!opened)
        return opened.error();
    journal::record r;
    // A bound would promise that the journal goes that far; the caller may have asked for anything.
    const auto got = opened->next(r, std::numeric_limits<std::uint64_t>::max());
    if (!got)
        return got.error();
    if (!*got)
        return make_error(errc::not_found, "webhook " + std::to_string(sequence) + " is not in the journal");
    const state::webhook w = state::prepare(r.sequence, r.site, r.received_at, r.body);
    if (!w.error.empty())
        return false;
    try {
        into.begin();
        const bool was_dead = into.remove_dead(w);
        if (was_dead)
            state::apply(into, w);
        into.commit(into.cursor());
        return was_dead;
    } catch (const std::exception& e) {
        into.rollback();
        if (state::is_fault_of_webhook(e))
            return false;
        return make_error(errc::io, std::string("cannot write the state: ") + e.what());
    }
}

result<std::size_t> follower::retry_dead(const std::vector<std::uint64_t>& sequences)
{
    std::size_t revived = 0;
    for (const std::uint64_t sequence : sequences) {
        const auto done = impl_->retry_one(sequence);
        if (!done)
            return done.error();
        revived += *done ? 1 : 0;
    }
    return revived;
}

} // namespace chargifyd::pipeline

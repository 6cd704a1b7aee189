#include "history.hpp"
#include "temporary_directory.hpp"

#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <sstream>

/// P3 and P2: whatever happens to webhooks on the way, the state ends the same. CHARGIFYD_HISTORIES says how
/// many random histories are tried, CHARGIFYD_FIRST_HISTORY with which seed to begin (to repeat a failure).
namespace chargifyd::state {
namespace {

using test::history;

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    const char* const text = std::getenv(name);
    return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// Many histories in one file, each on sites of its own: making a file costs more than a history.
class arena {
public:
    void begin() { store_->begin(); }
    void end() { store_->commit(sequence_); }

    void give(const std::string& site, const std::string& body)
    {
        const webhook w = prepare(++sequence_, site, timestamp{std::chrono::seconds(1'800'000'000)}, body);
        ASSERT_EQ(w.error, "");
        apply(*store_, w);
    }

    /// What a site's rows say, without what tells when something was learned.
    std::string content(const std::string& site)
    {
        std::string all;
        for (std::size_t kind = 0; kind < object_kinds; ++kind) {
            const object_table& table = table_of(kind);
            std::string columns;
            for (const column& c : table.keys)
                columns += std::string(c.name) + ", ";
            for (const column& c : table.columns)
                columns += "\"" + std::string(c.name) + "\", ";
            all += ask("SELECT " + columns + "attributes FROM " + std::string(table.name) +
                           " WHERE site = ? ORDER BY 1, 2, 3",
                       site);
        }
        return all + facts(site) +
               ask("SELECT state, has_access, access_until FROM subscription_access WHERE site = ? ORDER BY "
                   "subscription_id",
                   site);
    }

    std::string facts(const std::string& site)
    {
        return ask(
            "SELECT subscription_id, customer_id, kind, object_id, old_value, new_value, amount_in_cents, "
            "detail, occurred_at FROM changes WHERE site = ? ORDER BY 1, 3, 9, 4, 5, 6, 2, 7, 8",
            site);
    }

private:
    std::string ask(const std::string& sql, const std::string& site)
    {
        sqlite::statement query(reader_, sql);
        sqlite::statement::run rows(query);
        rows.bind(std::string_view(site));
        std::string all;
        while (rows.step()) {
            for (int i = 0; i < rows.columns(); ++i)
                all += (rows.is_null(i) ? std::string("NULL") : std::string(rows.text(i))) + "|";
            all += '\n';
        }
        return all + "--\n";
    }

    test::temporary_directory folder_;
    std::unique_ptr<sqlite_store> store_ =
        std::move(*sqlite_store::open(folder_ / "state.db", "j", {{{"past_due", {true, 14}}}}));
    sqlite::database reader_{folder_ / "state.db", sqlite::access::read_only};
    std::uint64_t sequence_ = 0;
};

/// Delivery as the internet does it: any order, some webhooks late, some several times, some lost at first
/// and replayed after everything else.
std::vector<std::string> deliver_badly(const history& h, std::mt19937_64& random)
{
    std::vector<std::string> arrived;
    std::vector<std::string> replayed;
    for (const history::made_webhook& w : h.webhooks()) {
        const auto fate = random() % 10;
        if (fate == 0)
            replayed.push_back(w.body);
        else
            arrived.push_back(w.body);
        if (fate == 1)
            arrived.push_back(w.body);
        if (fate == 2)
            replayed.push_back(w.body);
    }
    if (random() % 2 == 0) {
        std::shuffle(arrived.begin(), arrived.end(), random);
    } else { // nearly in order, as it is on a good day
        for (std::size_t i = 0; i + 1 < arrived.size(); ++i) {
            if (random() % 3 == 0)
                std::swap(arrived[i], arrived[std::min(arrived.size() - 1, i + 1 + random() % 4)]);
        }
    }
    std::shuffle(replayed.begin(), replayed.end(), random);
    arrived.insert(arrived.end(), replayed.begin(), replayed.end());
    return arrived;
}

/// The lines of one that the other has not; empty when they are equal.
std::string difference(const std::string& expected, const std::string& actual)
{
    const auto lines = [](const std::string& text) {
        std::multiset<std::string> all;
        std::istringstream in(text);
        for (std::string line; std::getline(in, line);)
            all.insert(line);
        return all;
    };
    const auto wanted = lines(expected);
    const auto found = lines(actual);
    std::vector<std::string> missing;
    std::vector<std::string> unexpected;
    std::ranges::set_difference(wanted, found, std::back_inserter(missing));
    std::ranges::set_difference(found, wanted, std::back_inserter(unexpected));
    std::string all;
    for (const std::string& line : missing)
        all += "\n- " + line;
    for (const std::string& line : unexpected)
        all += "\n+ " + line;
    return all;
}

class order : public ::testing::Test {
protected:
    /// Gives each of `count` histories to `check`, with three sites of its own.
    template <class Check>
    void for_each_history(Check check)
    {
        constexpr std::uint64_t histories_in_one_file = 100;
        const std::uint64_t first = setting("CHARGIFYD_FIRST_HISTORY", 1);
        const std::uint64_t count = setting("CHARGIFYD_HISTORIES", 400);
        std::unique_ptr<arena> in;
        for (std::uint64_t seed = first; seed < first + count && !HasFatalFailure() && !HasNonfatalFailure();
             ++seed) {
            if (!in || seed % histories_in_one_file == 0)
                in = std::make_unique<arena>();
            SCOPED_TRACE("history " + std::to_string(seed));
            check(*in, history(seed), std::to_string(seed), seed);
        }
    }
};

TEST_F(order, any_delivery_ends_as_delivery_in_order)
{
    for_each_history([](arena& in, const history& h, const std::string& name, std::uint64_t seed) {
        std::mt19937_64 random(seed);
        in.begin();
        for (const history::made_webhook& w : h.webhooks())
            in.give("in-order-" + name, w.body);
        for (const std::string& body : deliver_badly(h, random))
            in.give("badly-" + name, body);
        in.end();
        const std::string expected = in.content("in-order-" + name);
        EXPECT_GT(expected.size(), 100U);
        EXPECT_EQ(difference(expected, in.content("badly-" + name)), "");
    });
}

TEST_F(order, the_same_fact_under_another_webhook_id_adds_none)
{
    for_each_history([](arena& in, const history& h, const std::string& name, std::uint64_t seed) {
        std::mt19937_64 random(seed);
        std::int64_t new_id = 1'000'000;
        in.begin();
        for (const history::made_webhook& w : h.webhooks()) {
            in.give("once-" + name, w.body);
            in.give("again-" + name, w.body);
        }
        for (std::size_t i = 0; i < h.webhooks().size(); ++i) {
            // Without an event id nothing tells a repetition from a return to the old value.
            if (h.webhooks()[i].event_id != 0 && random() % 2 == 0)
                in.give("again-" + name, h.told_again(i, new_id++).body);
        }
        in.end();
        EXPECT_EQ(difference(in.facts("once-" + name), in.facts("again-" + name)), "");
    });
}

} // namespace
} // namespace chargifyd::state

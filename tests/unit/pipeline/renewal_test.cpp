#include "database_dump.hpp"
#include "filled_journal.hpp"
#include "pipeline/renewal.hpp"
#include "temporary_directory.hpp"
#include "wait_until.hpp"
#include "webhook_body.hpp"

#include "chargifyd/pipeline/pipeline.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>

namespace chargifyd::pipeline {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

/// A state that is applied, and then looks as if other rules had made it.
class renewing : public ::testing::Test {
protected:
    void fill(int count)
    {
        for (int i = 0; i < count; ++i) {
            test::subscription_body b;
            b.webhook_id = b.event_id = b.id = ++appended_;
            inbox_->append(b.str());
        }
    }

    std::unique_ptr<pipeline> open()
    {
        auto opened = pipeline::open(folder_.path(), with_, {}, inbox_->log(), inbox_->instruments(), clock_);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        return std::move(*opened);
    }

    void run_once()
    {
        const auto p = open();
        p->start();
        p->stop(60s);
    }

    /// As rules that did not know these webhooks would have made it. Returns what this version's make of
    /// them.
    std::string age(const std::string& version = "1")
    {
        run_once();
        std::string expected = test::dump(folder_ / "state.db");
        sqlite::database db(folder_ / "state.db", sqlite::access::read_write);
        db.exec("UPDATE events SET outcome = 'unknown'; DELETE FROM products; DELETE FROM changes; "
                "UPDATE meta SET value = '" +
                version + "' WHERE key = 'projection'");
        return expected;
    }

    static void wait_renewed(const pipeline& p)
    {
        test::wait_until([&p] { return !p.now().rebuilding; });
    }

    bool leftovers() const
    {
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
            if (entry.path().filename().string().starts_with(rebuild_file_name))
                return true;
        }
        return false;
    }

    test::temporary_directory folder_;
    options with_ = [] {
        options o;
        o.rebuild_retry = 1ms;
        return o;
    }();
    timestamp now_ = system_now();
    clock_fn clock_ = [this] { return now_; };
    std::unique_ptr<test::filled_journal> inbox_ =
        std::make_unique<test::filled_journal>(folder_ / "journal", 64 * 1024, clock_);
    long long appended_ = 0;
};

// P5: what an older version could not read is applied after an upgrade, by itself.
TEST_F(renewing, makes_what_other_rules_made_anew)
{
    fill(100);
    for (const char* const version : {"1", "0", "9999"}) { // older, mixed, and after a downgrade
        const std::string expected = age(version);
        const auto p = open();
        EXPECT_TRUE(p->now().rebuilding);
        p->start();
        wait_renewed(*p);
        p->stop(60s);
        EXPECT_EQ(test::dump(folder_ / "state.db"), expected) << version;
        EXPECT_FALSE(leftovers());
    }
}

TEST_F(renewing, is_not_done_without_need)
{
    fill(10);
    run_once();
    const auto p = open();
    EXPECT_FALSE(p->now().rebuilding);
    p->start();
    // Nobody may make one here now: it would fail, and say so.
    std::filesystem::create_directory(folder_ / rebuild_file_name);
    fill(1);
    p->stop(60s);
    EXPECT_FALSE(p->now().rebuilding);
}

TEST_F(renewing, goes_on_applying_meanwhile_and_waits_for_a_rebuild_by_hand)
{
    fill(50);
    const std::string aged = age();
    std::string expected;
    {
        std::optional<rebuild_lock> held = std::move(*rebuild_lock::acquire(folder_.path()));
        const auto p = open();
        p->start();
        fill(25);
        test::wait_until([&p] { return p->now().applied == 75; });
        test::wait_until([&p] { return !p->now().rebuilding->failure.empty(); });
        EXPECT_THAT(p->now().rebuilding->failure, HasSubstr("another rebuild"));
        EXPECT_EQ(p->now().failure, "");

        held.reset();
        wait_renewed(*p);
        EXPECT_EQ(p->now().applied, 75U);
        fill(5);
        p->stop(60s);
        EXPECT_EQ(p->now().applied, 80U);
    }
    ASSERT_TRUE(rebuild(*rebuild_lock::acquire(folder_.path()), with_, {}, {}));
    EXPECT_EQ(test::dump(folder_ / "state.db"), test::dump(folder_ / rebuild_file_name));
}

TEST_F(renewing, is_done_while_webhooks_keep_coming)
{
    with_.batch_webhooks = 4;
    fill(200);
    age();
    const auto p = open();
    p->start();
    // As fast as they are applied: the renewal has to keep up with that, not with what a memory can hold.
    while (p->now().rebuilding) {
        fill(1);
        test::wait_until([&] { return p->now().applied == inbox_->log().durable_sequence(); });
    }
    p->stop(60s);
    EXPECT_EQ(p->now().applied, inbox_->log().durable_sequence());
    ASSERT_TRUE(rebuild(*rebuild_lock::acquire(folder_.path()), with_, {}, {}));
    EXPECT_EQ(test::dump(folder_ / "state.db"), test::dump(folder_ / rebuild_file_name));
}

TEST_F(renewing, a_rebuild_by_hand_makes_it_unnecessary)
{
    fill(50);
    const std::string expected = age();
    const auto p = open();
    const auto held = rebuild_lock::acquire(folder_.path());
    p->start();
    ASSERT_TRUE(rebuild(*held, with_, {}, {}));
    ASSERT_TRUE(p->adopt_rebuilt());
    EXPECT_FALSE(p->now().rebuilding);
    p->stop(60s);
    EXPECT_EQ(test::dump(folder_ / "state.db"), expected);
}

TEST_F(renewing, that_failed_is_tried_again)
{
    fill(50);
    const std::string expected = age();
    const auto p = open();
    // A file in a directory of that name: it can be neither removed nor opened.
    std::filesystem::create_directory(folder_ / rebuild_file_name);
    std::ofstream(folder_ / (std::string(rebuild_file_name) + "/in_the_way")) << "x";
    p->start();
    test::wait_until([&p] { return !p->now().rebuilding->failure.empty(); });
    EXPECT_EQ(p->now().failure, "");
    std::filesystem::remove_all(folder_ / rebuild_file_name);
    wait_renewed(*p);
    p->stop(60s);
    EXPECT_EQ(test::dump(folder_ / "state.db"), expected);
}

TEST_F(renewing, can_be_stopped_at_any_time_and_begins_again)
{
    with_.batch_webhooks = 1;
    fill(400);
    const std::string expected = age();
    for (const std::uint64_t so_far : {0U, 1U, 100U, 300U}) {
        const auto p = open();
        p->start();
        test::wait_until([&] {
            const auto s = p->now();
            return !s.rebuilding || s.rebuilding->done >= so_far;
        });
        p->stop(0s);
        EXPECT_FALSE(leftovers());
        EXPECT_EQ(p->now().applied, 400U);
    }
    const auto p = open();
    p->start();
    wait_renewed(*p);
    p->stop(60s);
    EXPECT_EQ(test::dump(folder_ / "state.db"), expected);
}

TEST_F(renewing, removes_what_a_killed_one_left)
{
    fill(3);
    run_once();
    const std::string file = folder_ / rebuild_file_name;
    for (const char* const suffix : {"", "-wal", "-shm", ".tmp"})
        std::ofstream(file + suffix) << "x";
    {
        const auto held = rebuild_lock::acquire(folder_.path());
        open();
        EXPECT_TRUE(leftovers()); // another process is at work on them
    }
    open();
    EXPECT_FALSE(leftovers());
}

// What the old rules could not read must not be deleted before the new ones have read it.
TEST_F(renewing, comes_before_retention)
{
    with_.retention = std::chrono::days(1);
    fill(200);
    const std::string expected = age();
    now_ += 48h;
    std::optional<rebuild_lock> held = std::move(*rebuild_lock::acquire(folder_.path()));
    const auto p = open();
    p->start();
    ASSERT_TRUE(p->maintain());
    EXPECT_EQ(inbox_->log().first_sequence(), 1U);
    EXPECT_FALSE(std::filesystem::exists(folder_ / state::snapshot_file_name));
    held.reset();
    wait_renewed(*p);
    ASSERT_TRUE(p->maintain());
    EXPECT_GT(inbox_->log().first_sequence(), 1U);
    p->stop(60s);
    EXPECT_EQ(test::dump(folder_ / "state.db"), expected);
}

class renewal_alone : public renewing {
protected:
    renewal make(std::function<result<void>(const std::stop_token&)> adopt, const journal::log& inbox)
    {
        return renewal(folder_.path(), with_, {}, inbox,
                       {[this] { return needed_.load(); },
                        [this, adopt = std::move(adopt)](const std::stop_token& stop) {
                            needed_ = false;
                            return adopt(stop);
                        }});
    }
    std::atomic<bool> needed_ = true;
};

TEST_F(renewal_alone, is_the_only_one_while_it_lasts)
{
    fill(20);
    run_once();
    renewal* self = nullptr;
    bool adopted = false;
    renewal one = make(
        [&](const std::stop_token&) -> result<void> {
            adopted = true;
            EXPECT_TRUE(self->is_under_way());
            const auto second = rebuild_lock::acquire(folder_.path());
            EXPECT_FALSE(second);
            EXPECT_EQ(second.error().code, errc::busy);
            EXPECT_TRUE(std::filesystem::exists(folder_ / rebuild_file_name));
            return {};
        },
        inbox_->log());
    self = &one;
    EXPECT_FALSE(one.is_under_way());
    one.run({});
    EXPECT_TRUE(adopted);
    EXPECT_FALSE(one.is_under_way());
    EXPECT_TRUE(rebuild_lock::acquire(folder_.path()));
    EXPECT_FALSE(leftovers());
}

// Webhooks come first: below the floor nothing more is written that is not one.
TEST_F(renewal_alone, gives_the_space_back_when_the_disk_is_nearly_full)
{
    fill(20);
    run_once();
    inbox_.reset();
    journal::options with;
    with.directory = folder_ / "journal";
    with.disk_floor_bytes = std::uint64_t{1} << 60;
    metrics::registry instruments;
    const auto inbox =
        std::move(*journal::log::open(with, journal::real_file_system(), system_now, instruments));
    ASSERT_EQ(inbox->health(), journal::append_status::disk_full);
    renewal one = make([](const std::stop_token&) -> result<void> { return {}; }, *inbox);
    std::jthread thread([&one](const std::stop_token& stop) { one.run(stop); });
    test::wait_until([&one] { return !one.now()->failure.empty(); });
    thread.request_stop();
    thread.join();
    EXPECT_THAT(one.now()->failure, HasSubstr("nearly full"));
    EXPECT_FALSE(leftovers());
}

} // namespace
} // namespace chargifyd::pipeline

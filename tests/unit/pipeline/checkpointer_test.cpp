#include "is_locked.hpp"
#include "pipeline/checkpointer.hpp"
#include "temporary_directory.hpp"
#include "wait_until.hpp"
#include "webhook_body.hpp"

#include "chargifyd/state/projection.hpp"

#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace chargifyd::pipeline {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t mib = 1024 * 1024;

class checkpointer_test : public ::testing::Test {
protected:
    /// A webhook in a transaction of its own: some twenty pages.
    void apply()
    {
        test::subscription_body body;
        body.webhook_id = body.event_id = body.id = static_cast<long long>(++sequence_);
        store_->begin();
        state::apply(*store_, state::prepare(sequence_, "acme", timestamp{}, body.str()));
        store_->commit(sequence_);
    }

    std::uint64_t log_bytes() { return std::filesystem::file_size(folder_ / "state.db-wal"); }

    double begun()
    {
        const std::string text = instruments_.render();
        const std::string name = "\nchargifyd_state_checkpoints_total ";
        const std::size_t at = text.find(name);
        return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size()));
    }

    test::temporary_directory folder_;
    std::filesystem::path file_ = folder_ / "state.db";
    std::unique_ptr<state::sqlite_store> store_ = std::move(*state::sqlite_store::open(file_, "j", {}));
    metrics::registry instruments_;
    checkpointer checkpoints_{*store_, instruments_};
    std::uint64_t sequence_ = 0;
};

TEST_F(checkpointer_test, copies_the_log_once_for_many_transactions)
{
    for (int i = 0; i < 1000; ++i) {
        apply();
        checkpoints_.run_if_due();
    }
    EXPECT_GE(begun(), 2);
    EXPECT_LE(begun(), 50);
    EXPECT_GT(std::filesystem::file_size(file_), mib); // it has been copied
    EXPECT_LT(log_bytes(), 9 * mib);
}

TEST_F(checkpointer_test, tries_no_more_often_while_a_reader_holds_the_log)
{
    apply();
    sqlite::database reader(file_, sqlite::access::read_only);
    reader.exec("BEGIN");
    ASSERT_EQ(reader.integer("SELECT count(*) FROM events"), 1);
    for (int i = 0; i < 1000; ++i) {
        apply();
        checkpoints_.run_if_due();
    }
    EXPECT_EQ(reader.integer("SELECT count(*) FROM events"), 1);
    EXPECT_GE(begun(), 2);
    EXPECT_LE(begun(), 50);
}

TEST_F(checkpointer_test, tries_no_more_often_while_readers_relieve_each_other)
{
    std::optional<sqlite::database> readers[2];
    for (int i = 0; i < 1000; ++i) {
        apply();
        auto& next = readers[i % 2];
        next.emplace(file_, sqlite::access::read_only);
        next->exec("BEGIN");
        ASSERT_EQ(next->integer("SELECT count(*) FROM events"), i + 1);
        readers[(i + 1) % 2].reset();
        checkpoints_.run_if_due();
    }
    EXPECT_GE(begun(), 2);
    EXPECT_LE(begun(), 50);
    EXPECT_GT(std::filesystem::file_size(file_), mib); // as far as they let it
}

TEST_F(checkpointer_test, empties_a_log_that_readers_have_made_long)
{
    {
        sqlite::database reader(file_, sqlite::access::read_only);
        reader.exec("BEGIN");
        ASSERT_EQ(reader.integer("SELECT count(*) FROM events"), 0);
        while (log_bytes() < 32 * mib)
            apply();
        checkpoints_.run_if_due();
        EXPECT_GE(log_bytes(), 32 * mib);
    }
    const auto long_one = store_->wal_pages();
    while (store_->wal_pages() >= long_one) { // due as it grows, or a second later
        apply();
        checkpoints_.run_if_due();
    }
    EXPECT_LE(log_bytes(), 16 * mib); // what is kept for what comes
}

// Among readers that overlap there is never a moment without one.
TEST_F(checkpointer_test, waits_for_readers_of_a_long_log_to_end)
{
    sqlite::database reader(file_, sqlite::access::read_only);
    sqlite::database other(file_, sqlite::access::as_is);
    other.exec("PRAGMA busy_timeout = 0");
    apply();
    while (log_bytes() < 17 * mib) {
        reader.exec("BEGIN");
        ASSERT_GT(reader.integer("SELECT count(*) FROM events"), 0);
        apply();
        reader.exec("COMMIT");
    }
    test::wait_until([&] {
        reader.exec("BEGIN");
        static_cast<void>(reader.integer("SELECT count(*) FROM events"));
        apply(); // so that the reader needs the log as it was before
        auto done = std::async(std::launch::async, [this] { checkpoints_.run_if_due(); });
        const auto has_ended = [&done] { return done.wait_for(0s) == std::future_status::ready; };
        test::wait_until([&] { return has_ended() || test::is_locked(other); });
        reader.exec("COMMIT");
        done.get();
        return log_bytes() == 0;
    });
}

} // namespace
} // namespace chargifyd::pipeline

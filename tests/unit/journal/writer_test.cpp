#include "journal/writer.hpp"
#include "journal_fixture.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <deque>
#include <thread>

namespace chargifyd::journal {
namespace {

using test::append_status;
using test::journal_test;
using test::sync_gate;
using test::webhook;
using call = test::fault_file_system::call;

class writer_test : public journal_test {
protected:
    /// Submits one webhook and returns when its sync is held at the gate: what is submitted now forms the
    /// next batch.
    static void occupy(log& journal, sync_gate& gate, webhook& first)
    {
        gate.close();
        ASSERT_EQ(journal.submit(first), append_status::stored);
        gate.await_held();
    }

    /// Tries again until the journal gives another answer than disk_full.
    static append_status store_once_there_is_space(log& journal, std::uint64_t number)
    {
        for (;;) {
            const append_status answer = store(journal, number);
            if (answer != append_status::disk_full)
                return answer;
            std::this_thread::yield();
        }
    }
};

TEST_F(writer_test, a_batch_is_one_write_and_one_sync)
{
    sync_gate gate(files_);
    auto with = small_options();
    with.segment_bytes = 64 * 1024;
    const auto journal = open_log(files_, with);
    webhook first(1);
    occupy(*journal, gate, first);
    const std::size_t writes = files_.count(call::write);
    const std::size_t syncs = files_.count(call::sync); // the held one is not counted yet
    std::deque<webhook> others;
    for (std::uint64_t n = 2; n <= 101; ++n)
        ASSERT_EQ(journal->submit(others.emplace_back(n)), append_status::stored);
    gate.open();
    EXPECT_EQ(first.wait(), append_status::stored);
    for (webhook& w : others)
        EXPECT_EQ(w.wait(), append_status::stored);
    EXPECT_EQ(files_.count(call::write), writes + 1);
    EXPECT_EQ(files_.count(call::sync), syncs + 2);
    EXPECT_EQ(numbers(read_all(files_)), range(1, 101));
}

TEST_F(writer_test, a_batch_is_closed_once_it_holds_batch_bytes)
{
    sync_gate gate(files_);
    auto with = small_options();
    with.segment_bytes = 64 * 1024;
    with.batch_bytes = 1000;
    const auto journal = open_log(files_, with);
    webhook first(7);
    occupy(*journal, gate, first);
    const std::size_t writes = files_.count(call::write);
    std::deque<webhook> others;
    for (std::uint64_t n = 1; n <= 4; ++n)
        ASSERT_EQ(journal->submit(others.emplace_back(n, std::string(500, 'b'))), append_status::stored);
    gate.open();
    for (webhook& w : others)
        EXPECT_EQ(w.wait(), append_status::stored);
    EXPECT_EQ(files_.count(call::write), writes + 2);
}

/// Writes down what happens in which order.
struct ordered final : append_operation {
    ordered(std::uint64_t number, std::vector<std::uint64_t>& to)
        : number_(number)
        , to_(to)
    {
        site = "acme";
        fingerprint = test::fingerprint_of(number);
    }
    void complete(append_status) noexcept override { to_.push_back(number_); }

    std::uint64_t number_;
    std::vector<std::uint64_t>& to_;
};

TEST_F(writer_test, completes_in_order_then_calls_the_hook_after_publishing)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    std::vector<std::uint64_t> seen; // written by the journal's thread, read after it has ended
    log& published = *journal;
    journal->on_batch([&seen, &published] { seen.push_back(1000 + published.durable_sequence()); });
    gate.close();
    ordered a(1, seen), b(2, seen), c(3, seen);
    ASSERT_EQ(journal->submit(a), append_status::stored);
    gate.await_held();
    ASSERT_EQ(journal->submit(b), append_status::stored);
    ASSERT_EQ(journal->submit(c), append_status::stored);
    gate.open();
    journal->close();
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{1, 1001, 2, 3, 1003}));
}

TEST_F(writer_test, nothing_is_acknowledged_before_its_sync)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    webhook first(1);
    occupy(*journal, gate, first);
    EXPECT_EQ(journal->durable_sequence(), 0U);
    gate.open();
    EXPECT_EQ(first.wait(), append_status::stored);
    EXPECT_EQ(journal->durable_sequence(), 1U);
}

TEST_F(writer_test, a_duplicate_of_a_durable_webhook_costs_no_write_and_no_sync)
{
    const auto journal = open_log(files_);
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    const std::size_t writes = files_.count(call::write);
    const std::size_t syncs = files_.count(call::sync);
    EXPECT_EQ(store(*journal, 1), append_status::duplicate);
    EXPECT_EQ(files_.count(call::write), writes);
    EXPECT_EQ(files_.count(call::sync), syncs);
    EXPECT_EQ(journal->durable_sequence(), 1U);
    journal->close();
    EXPECT_NE(meters_.render().find("chargifyd_journal_duplicates_total 1"), std::string::npos);
}

TEST_F(writer_test, another_site_is_another_webhook)
{
    const auto journal = open_log(files_);
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    webhook other(1);
    other.site = "other";
    ASSERT_EQ(journal->submit(other), append_status::stored);
    EXPECT_EQ(other.wait(), append_status::stored);
}

TEST_F(writer_test, a_duplicate_within_a_batch_is_acknowledged_with_the_first)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    webhook first(1), a(2), again(2), b(3);
    occupy(*journal, gate, first);
    for (webhook* const w : {&a, &again, &b})
        ASSERT_EQ(journal->submit(*w), append_status::stored);
    gate.open();
    EXPECT_EQ(a.wait(), append_status::stored);
    EXPECT_EQ(again.wait(), append_status::duplicate);
    EXPECT_EQ(b.wait(), append_status::stored);
    EXPECT_EQ(numbers(read_all(files_)), range(1, 3));
}

TEST_F(writer_test, a_duplicate_within_a_batch_fails_with_the_first)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    webhook first(1), a(2), again(2);
    occupy(*journal, gate, first);
    for (webhook* const w : {&a, &again})
        ASSERT_EQ(journal->submit(*w), append_status::stored);
    files_.fail(call::sync, 2, EIO); // the held one passes
    gate.open();
    EXPECT_EQ(first.wait(), append_status::stored);
    EXPECT_EQ(a.wait(), append_status::stopped);
    EXPECT_EQ(again.wait(), append_status::stopped);
}

TEST_F(writer_test, duplicates_are_known_after_a_restart_over_several_segments)
{
    {
        const auto journal = open_log(files_);
        store_range(*journal, 1, 60);
        ASSERT_GT(journal->segments().size(), 2U);
    }
    const auto journal = open_log(files_);
    for (std::uint64_t n = 1; n <= 60; ++n)
        EXPECT_EQ(store(*journal, n), append_status::duplicate) << n;
    EXPECT_EQ(store(*journal, 61), append_status::stored);
    EXPECT_EQ(journal->durable_sequence(), 61U);
}

TEST_F(writer_test, remembers_a_bounded_number)
{
    auto with = small_options();
    with.remembered_webhooks = 10;
    const auto journal = open_log(files_, with);
    store_range(*journal, 1, 11);
    EXPECT_EQ(store(*journal, 11), append_status::duplicate);
    EXPECT_EQ(store(*journal, 1), append_status::stored);
}

TEST_F(writer_test, the_queue_is_bounded_in_number_and_health_says_so)
{
    sync_gate gate(files_);
    auto with = small_options();
    with.queue_webhooks = 3;
    const auto journal = open_log(files_, with);
    webhook a(1), b(2), c(3), d(4);
    occupy(*journal, gate, a);
    EXPECT_EQ(journal->health(), append_status::stored);
    EXPECT_EQ(journal->submit(b), append_status::stored);
    EXPECT_EQ(journal->submit(c), append_status::stored);
    EXPECT_EQ(journal->health(), append_status::queue_full);
    EXPECT_EQ(journal->submit(d), append_status::queue_full);
    gate.open();
    for (webhook* const w : {&a, &b, &c})
        EXPECT_EQ(w->wait(), append_status::stored);
    EXPECT_EQ(journal->health(), append_status::stored);
    EXPECT_EQ(store(*journal, 4), append_status::stored);
}

TEST_F(writer_test, the_queue_is_bounded_in_bytes)
{
    sync_gate gate(files_);
    auto with = small_options();
    with.queue_bytes = 1000;
    const auto journal = open_log(files_, with);
    webhook a(1, std::string(600, 'a')), b(2, std::string(400, 'b')), c(3, "c");
    occupy(*journal, gate, a);
    EXPECT_EQ(journal->submit(b), append_status::stored);
    EXPECT_EQ(journal->submit(c), append_status::queue_full);
    gate.open();
    EXPECT_EQ(a.wait(), append_status::stored);
    EXPECT_EQ(b.wait(), append_status::stored);
}

TEST_F(writer_test, a_failed_sync_stops_everything_and_says_so_once)
{
    sync_gate gate(files_);
    const auto journal = open_log(files_);
    std::promise<error> told;
    int times = 0;
    journal->on_failure([&told, &times](const error& why) {
        if (++times == 1)
            told.set_value(why);
    });
    webhook first(1), second(2);
    occupy(*journal, gate, first);
    ASSERT_EQ(journal->submit(second), append_status::stored);
    files_.fail(call::sync, 1, EIO);
    gate.open();
    EXPECT_EQ(first.wait(), append_status::stopped);
    EXPECT_EQ(second.wait(), append_status::stopped);
    const error why = told.get_future().get();
    EXPECT_EQ(why.code, errc::io);
    EXPECT_EQ(why.message, "cannot sync /state/journal/00000000000000000001.log: Input/output error");
    EXPECT_EQ(store(*journal, 3), append_status::stopped);
    EXPECT_EQ(journal->health(), append_status::stopped);
    EXPECT_EQ(journal->wait_beyond(0, {}), 0U) << "nobody waits for what will not come";
    const std::size_t writes = files_.count(call::write);
    journal->close();
    EXPECT_EQ(files_.count(call::write), writes) << "the file is not touched any more";
    EXPECT_EQ(times, 1);
}

TEST_F(writer_test, a_failed_write_stops_even_when_the_reason_is_space)
{
    for (const int reason : {EIO, ENOSPC}) {
        test::fault_file_system files;
        const auto journal = open_log(files);
        files.fail(call::write, 1, reason);
        EXPECT_EQ(store(*journal, 1), append_status::stopped);
        EXPECT_EQ(store(*journal, 2), append_status::stopped);
    }
}

TEST_F(writer_test, whoever_asks_late_about_a_failure_is_told_at_once)
{
    const auto journal = open_log(files_);
    files_.fail(call::write, 1, EIO);
    EXPECT_EQ(store(*journal, 1), append_status::stopped);
    journal->close();
    int told = 0;
    journal->on_failure([&told](const error&) { ++told; });
    EXPECT_EQ(told, 1);
}

TEST_F(writer_test, refuses_while_no_segment_can_be_allocated_and_goes_on_when_there_is_space)
{
    const auto journal = open_log(files_);
    files_.set_capacity(5000); // the first segment, not a second
    std::uint64_t n = 1;
    while (store(*journal, n) == append_status::stored)
        ++n;
    EXPECT_EQ(journal->health(), append_status::disk_full);
    EXPECT_EQ(store(*journal, n), append_status::disk_full);
    EXPECT_EQ(store(*journal, 1), append_status::duplicate)
        << "what is stored can be acknowledged without space";
    const std::uint64_t durable = journal->durable_sequence();
    EXPECT_EQ(durable, n - 1);
    files_.set_capacity(1 << 20);
    EXPECT_EQ(store_once_there_is_space(*journal, n), append_status::stored)
        << "it was not remembered as stored";
    EXPECT_EQ(journal->health(), append_status::stored);
    EXPECT_EQ(journal->durable_sequence(), n);
    journal->close();
    EXPECT_EQ(numbers(read_all(files_)), range(1, n));
}

TEST_F(writer_test, notices_by_itself_that_there_is_space_again)
{
    const auto journal = open_log(files_);
    files_.set_capacity(5000);
    std::uint64_t n = 1;
    while (store(*journal, n) == append_status::stored)
        ++n;
    files_.set_capacity(1 << 20);
    while (journal->health() == append_status::disk_full)
        std::this_thread::yield();
    EXPECT_EQ(store(*journal, n), append_status::stored);
}

TEST_F(writer_test, refuses_below_the_floor_without_writing)
{
    auto with = small_options();
    with.disk_floor_bytes = 10000;
    files_.set_capacity(12000);
    const auto journal = open_log(files_, with); // makes its first segment, and is below the floor then
    EXPECT_EQ(journal->health(), append_status::disk_full);
    const std::size_t writes = files_.count(call::write);
    EXPECT_EQ(store(*journal, 1), append_status::disk_full);
    EXPECT_EQ(files_.count(call::write), writes);
    files_.set_capacity(20000);
    EXPECT_EQ(store_once_there_is_space(*journal, 1), append_status::stored);
    EXPECT_NE(meters_.render().find("chargifyd_disk_free_bytes 15904"), std::string::npos)
        << meters_.render();
}

TEST_F(writer_test, starts_on_a_full_disk_and_refuses_until_there_is_space)
{
    auto with = small_options();
    std::uint64_t stored = 0;
    {
        const auto journal = open_log(files_, with);
        files_.set_capacity(5000);
        while (store(*journal, stored + 1) == append_status::stored)
            ++stored;
    }
    const auto journal =
        open_log(files_, with); // the newest segment is sealed, and there is no space for the next
    EXPECT_EQ(journal->health(), append_status::disk_full);
    EXPECT_EQ(store(*journal, 1), append_status::duplicate);
    files_.set_capacity(1 << 20);
    EXPECT_EQ(store_once_there_is_space(*journal, stored + 1), append_status::stored);
    EXPECT_EQ(journal->durable_sequence(), stored + 1);
}

TEST_F(writer_test, a_webhook_larger_than_a_segment_gets_one_of_its_own)
{
    auto with = small_options();
    const auto journal = open_log(files_, with);
    ASSERT_EQ(store(*journal, 1, std::string(9000, 'a')), append_status::stored)
        << "into the empty first segment";
    ASSERT_EQ(store(*journal, 2, "small"), append_status::stored);
    ASSERT_EQ(store(*journal, 3, std::string(20000, 'c')), append_status::stored);
    ASSERT_EQ(store(*journal, 4, "small"), append_status::stored);
    EXPECT_EQ(journal->segments().size(), 4U);
    journal->close();
    const auto all = read_all(files_);
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all[0].body, std::string(9000, 'a'));
    EXPECT_EQ(all[2].body, std::string(20000, 'c'));
    EXPECT_EQ(open_log(files_, with)->durable_sequence(), 4U);
}

TEST_F(writer_test, a_webhook_too_large_for_the_disk_does_not_keep_the_others_out)
{
    const auto journal = open_log(files_);
    files_.set_capacity(6000);
    EXPECT_EQ(store(*journal, 1, std::string(9000, 'a')), append_status::disk_full);
    EXPECT_EQ(store_once_there_is_space(*journal, 2), append_status::stored);
}

TEST_F(writer_test, waiting_ends_when_more_is_durable_or_a_stop_is_requested)
{
    const auto journal = open_log(files_);
    std::stop_source stop;
    auto first = std::async(std::launch::async,
                            [&journal, &stop] { return journal->wait_beyond(0, stop.get_token()); });
    ASSERT_EQ(store(*journal, 1), append_status::stored);
    EXPECT_EQ(first.get(), 1U);
    auto second = std::async(std::launch::async,
                             [&journal, &stop] { return journal->wait_beyond(1, stop.get_token()); });
    stop.request_stop();
    EXPECT_EQ(second.get(), 1U);
    auto third = std::async(std::launch::async, [&journal] { return journal->wait_beyond(1, {}); });
    journal->close();
    EXPECT_EQ(third.get(), 1U);
}

TEST_F(writer_test, closing_writes_what_was_accepted)
{
    sync_gate gate(files_);
    auto journal = open_log(files_);
    webhook a(1), b(2);
    occupy(*journal, gate, a);
    ASSERT_EQ(journal->submit(b), append_status::stored);
    auto closing = std::async(std::launch::async, [&journal] { journal->close(); });
    while (journal->health() != append_status::stopped)
        std::this_thread::yield();
    EXPECT_EQ(store(*journal, 3), append_status::stopped);
    gate.open();
    closing.get();
    EXPECT_EQ(a.wait(), append_status::stored);
    EXPECT_EQ(b.wait(), append_status::stored);
    journal->close();
    EXPECT_EQ(numbers(read_all(files_)), range(1, 2));
}

TEST_F(writer_test, many_threads_submit_at_once)
{
    auto with = small_options();
    with.segment_bytes = 32 * 1024;
    const auto journal = open_log(files_, with);
    std::vector<std::thread> senders;
    for (std::uint64_t t = 0; t < 8; ++t)
        senders.emplace_back([&journal, t] { store_range(*journal, t * 100 + 1, t * 100 + 100); });
    for (std::thread& s : senders)
        s.join();
    auto found = numbers(read_all(files_));
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, range(1, 800));
}

} // namespace
} // namespace chargifyd::journal

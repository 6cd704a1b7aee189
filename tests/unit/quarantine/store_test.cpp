#include "fault_file_system.hpp"
#include "waiting_append.hpp"

#include "chargifyd/quarantine/quarantine.hpp"

#include <gtest/gtest.h>

namespace chargifyd::quarantine {
namespace {

using journal::append_status;
using test::fault_file_system;
using test::waiting_append;

class store_test : public ::testing::Test {
protected:
    store_test() { with.directory = "/state/quarantine"; }

    void open()
    {
        kept_.reset();
        auto opened = store::open(with, files, meters);
        ASSERT_TRUE(opened) << opened.error().message;
        kept_ = std::move(*opened);
    }
    append_status put(const std::string& body, const std::string& peer = "192.0.2.1")
    {
        waiting_append operation(body, peer);
        const append_status accepted = kept_->submit(operation);
        return accepted == append_status::stored ? operation.wait() : accepted;
    }

    options with;
    fault_file_system files;
    metrics::registry meters;
    std::unique_ptr<store> kept_;
};

TEST_F(store_test, keeps_in_order_of_arrival_and_over_a_restart)
{
    open();
    EXPECT_EQ(put("first"), append_status::stored);
    EXPECT_EQ(put("second"), append_status::stored);
    for (const bool again : {false, true}) {
        if (again)
            open();
        ASSERT_EQ(kept_->count(), 2U);
        EXPECT_EQ(kept_->bytes(), 11U);
        const auto numbers = kept_->numbers();
        EXPECT_EQ(kept_->read(numbers[0])->body, "first");
        EXPECT_EQ(kept_->read(numbers[1])->body, "second");
    }
    EXPECT_EQ(put("third"), append_status::stored);
    EXPECT_EQ(kept_->read(kept_->numbers().back())->body, "third"); // numbers go on
}

TEST_F(store_test, what_was_answered_survives_a_power_loss)
{
    open();
    EXPECT_EQ(put("first"), append_status::stored);
    EXPECT_EQ(put("second"), append_status::stored);
    auto after = files.after_power_loss(fault_file_system::loss::all_unsynced, 0);
    const auto numbers = list_entries(with.directory, *after);
    ASSERT_TRUE(numbers);
    ASSERT_EQ(numbers->size(), 2U);
    EXPECT_EQ(read_entry(with.directory, *after, (*numbers)[1])->body, "second");
}

TEST_F(store_test, is_bounded_in_webhooks_and_bytes_and_by_source)
{
    with.max_webhooks = 4;
    with.max_bytes = 100;
    with.max_webhooks_per_source = 2;
    with.max_bytes_per_source = 60;
    open();
    EXPECT_EQ(put(std::string(50, 'a'), "192.0.2.1"), append_status::stored);
    EXPECT_EQ(put(std::string(11, 'a'), "192.0.2.1"), append_status::disk_full); // its bytes
    EXPECT_EQ(put("b", "192.0.2.1"), append_status::stored);
    EXPECT_EQ(put("c", "192.0.2.1"), append_status::disk_full);                  // its webhooks
    EXPECT_EQ(put(std::string(50, 'a'), "192.0.2.2"), append_status::disk_full); // all bytes
    EXPECT_EQ(put("d", "192.0.2.2"), append_status::stored);
    EXPECT_EQ(put("e", "192.0.2.3"), append_status::stored);
    EXPECT_EQ(put("f", "192.0.2.4"), append_status::disk_full); // all webhooks
    open();                                                     // and so it is after a restart
    EXPECT_EQ(put("f", "192.0.2.4"), append_status::disk_full);
    ASSERT_TRUE(kept_->remove(kept_->numbers().front()));
    EXPECT_EQ(put(std::string(50, 'a'), "192.0.2.1"), append_status::stored); // room again
}

TEST_F(store_test, a_call_that_fails_keeps_nothing_and_promises_nothing)
{
    using call = fault_file_system::call;
    for (const call what :
         {call::open, call::write, call::sync, call::rename, call::sync_directory, call::make_directory}) {
        with.directory = "/state/quarantine" + std::to_string(static_cast<int>(what));
        open();
        files.fail(what, 1, EIO);
        EXPECT_EQ(put("first"), append_status::disk_full) << static_cast<int>(what);
        EXPECT_EQ(kept_->count(), 0U);
        EXPECT_EQ(put("second"), append_status::stored) << static_cast<int>(what);
        EXPECT_EQ(kept_->count(), 1U);
    }
}

TEST_F(store_test, a_damaged_file_takes_room_and_can_be_removed)
{
    open();
    EXPECT_EQ(put("first"), append_status::stored);
    const std::uint64_t number = kept_->numbers().front();
    std::unique_ptr<journal::file> opened;
    ASSERT_EQ(files.open(with.directory / "00000000000000000001", journal::file_system::mode::write, &opened),
              0);
    ASSERT_EQ(opened->truncate(10), 0);
    open();
    EXPECT_EQ(kept_->count(), 1U);
    EXPECT_EQ(kept_->read(number).error().code, errc::corrupt);
    EXPECT_TRUE(kept_->remove(number));
    EXPECT_EQ(kept_->read(number).error().code, errc::not_found);
    EXPECT_EQ(kept_->count(), 0U);
}

} // namespace
} // namespace chargifyd::quarantine

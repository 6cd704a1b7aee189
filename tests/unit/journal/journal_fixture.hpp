#pragma once

#include "fault_file_system.hpp"

#include "chargifyd/journal/journal.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <cstring>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace chargifyd::test {

using journal::append_status;

inline digest256 fingerprint_of(std::uint64_t number)
{
    digest256 print{};
    std::memcpy(print.data(), &number, sizeof number);
    return print;
}

/// A webhook that can be waited for. Everything about it follows from its number.
class webhook final : public journal::append_operation {
public:
    explicit webhook(std::uint64_t number, std::string text = {})
        : text_(text.empty() ? body_of(number) : std::move(text))
        , answer_(promise_.get_future())
    {
        site = "acme";
        peer = "192.0.2.7";
        body = text_;
        received_at = timestamp(std::chrono::seconds(1'000'000 + number));
        fingerprint = fingerprint_of(number);
    }

    static std::string body_of(std::uint64_t number)
    {
        return "number=" + std::to_string(number) + "&" + std::string(number % 7 * 40, 'x');
    }

    void complete(append_status status) noexcept override { promise_.set_value(status); }
    append_status wait() { return answer_.get(); }

private:
    std::string text_;
    std::promise<append_status> promise_;
    std::future<append_status> answer_;
};

/// Holds the journal's thread in its next sync, so that a test decides what the batch behind it is made of.
class sync_gate {
public:
    explicit sync_gate(fault_file_system& files)
    {
        files.before_sync([this] { pass(); });
    }
    void close()
    {
        const std::lock_guard hold(mutex_);
        closed_ = true;
    }
    void open()
    {
        const std::lock_guard hold(mutex_);
        closed_ = false;
        changed_.notify_all();
    }
    void await_held()
    {
        std::unique_lock hold(mutex_);
        changed_.wait(hold, [this] { return held_; });
    }

private:
    void pass()
    {
        std::unique_lock hold(mutex_);
        held_ = closed_;
        changed_.notify_all();
        changed_.wait(hold, [this] { return !closed_; });
        held_ = false;
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    bool held_ = false;
};

class journal_test : public testing::Test {
protected:
    static inline const std::filesystem::path directory = "/state/journal";

    static journal::options small_options()
    {
        journal::options with;
        with.directory = directory;
        with.segment_bytes = 4096;
        with.disk_floor_bytes = 0;
        with.remembered_webhooks = 200;
        return with;
    }

    result<std::unique_ptr<journal::log>> try_open(journal::file_system& files,
                                                   journal::options with = small_options())
    {
        return journal::log::open(std::move(with), files, clock_, meters_);
    }

    std::unique_ptr<journal::log> open_log(journal::file_system& files,
                                           journal::options with = small_options())
    {
        auto opened = try_open(files, std::move(with));
        if (!opened) {
            ADD_FAILURE() << opened.error().message;
            throw std::runtime_error("the journal does not open");
        }
        return std::move(*opened);
    }

    /// Submits one webhook and waits for its answer.
    static append_status store(journal::log& into, std::uint64_t number, std::string text = {})
    {
        webhook one(number, std::move(text));
        const append_status accepted = into.submit(one);
        return accepted == append_status::stored ? one.wait() : accepted;
    }

    static void store_range(journal::log& into, std::uint64_t from, std::uint64_t to)
    {
        for (std::uint64_t n = from; n <= to; ++n)
            ASSERT_EQ(store(into, n), append_status::stored) << n;
    }

    /// Everything from behind `after` to the end, or to the error.
    static std::vector<journal::record> read_all(journal::file_system& files, std::uint64_t after = 0,
                                                 error* problem = nullptr)
    {
        std::vector<journal::record> all;
        auto from = journal::reader::open(directory, files, after);
        while (from) {
            journal::record one;
            const result<bool> more = from->next(one, journal::reader::open_end);
            if (more && *more) {
                all.push_back(std::move(one));
                continue;
            }
            if (!more && problem != nullptr)
                *problem = more.error();
            else if (!more)
                ADD_FAILURE() << more.error().message;
            return all;
        }
        if (problem != nullptr)
            *problem = from.error();
        else
            ADD_FAILURE() << from.error().message;
        return all;
    }

    /// The number of the webhook that this is the record of; fails unless it is that webhook in every part.
    static std::uint64_t number_of(const journal::record& r)
    {
        std::uint64_t number = 0;
        std::memcpy(&number, r.fingerprint.data(), sizeof number);
        EXPECT_EQ(r.fingerprint, fingerprint_of(number));
        EXPECT_EQ(r.site, "acme");
        EXPECT_EQ(r.peer, "192.0.2.7");
        EXPECT_EQ(r.body, webhook::body_of(number));
        EXPECT_EQ(r.received_at, timestamp(std::chrono::seconds(1'000'000 + number)));
        return number;
    }

    static std::vector<std::uint64_t> numbers(const std::vector<journal::record>& records)
    {
        std::vector<std::uint64_t> all;
        for (const journal::record& r : records)
            all.push_back(number_of(r));
        return all;
    }

    static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t to)
    {
        std::vector<std::uint64_t> all;
        for (std::uint64_t n = from; n <= to; ++n)
            all.push_back(n);
        return all;
    }

    /// Each reading is a second later.
    clock_fn clock_ = [ticks = std::make_shared<std::atomic<int>>(0)] {
        return timestamp(std::chrono::seconds(2'000'000 + ticks->fetch_add(1)));
    };
    metrics::registry meters_;
    fault_file_system files_;
};

} // namespace chargifyd::test

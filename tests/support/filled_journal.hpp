#pragma once

#include "chargifyd/journal/journal.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace chargifyd::test {

/// One append that can be waited for.
class waiting_append final : public journal::append_operation {
public:
    void complete(journal::append_status status) noexcept override
    {
        const std::lock_guard hold(mutex_);
        status_ = status;
        done_ = true;
        finished_.notify_all();
    }

    journal::append_status wait()
    {
        std::unique_lock hold(mutex_);
        finished_.wait(hold, [this] { return done_; });
        return status_;
    }

private:
    std::mutex mutex_;
    std::condition_variable finished_;
    bool done_ = false;
    journal::append_status status_ = journal::append_status::stopped;
};

/// A journal on disk that tests fill by hand.
class filled_journal {
public:
    explicit filled_journal(const std::filesystem::path& directory, std::uint64_t segment_bytes = 1024 * 1024,
                            clock_fn clock = system_now)
    {
        journal::options with;
        with.directory = directory;
        with.segment_bytes = segment_bytes;
        with.disk_floor_bytes = 0;
        auto opened = journal::log::open(with, journal::real_file_system(), std::move(clock), instruments_);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        log_ = std::move(*opened);
    }

    /// Appends a body and waits until it is durable.
    void append(const std::string& body, const std::string& site = "acme")
    {
        waiting_append one;
        one.site = site;
        one.peer = "127.0.0.1";
        one.body = body;
        one.received_at = timestamp{std::chrono::seconds(1'800'000'000)};
        ++appended_;
        for (std::size_t i = 0; i < sizeof appended_; ++i) // every one is new to the memory of recent ones
            one.fingerprint[i] = static_cast<unsigned char>(appended_ >> (8 * i));
        if (log_->submit(one) != journal::append_status::stored ||
            one.wait() != journal::append_status::stored)
            throw std::runtime_error("append failed");
    }

    journal::log& log() { return *log_; }
    metrics::registry& instruments() { return instruments_; }

private:
    metrics::registry instruments_;
    std::unique_ptr<journal::log> log_;
    std::uint64_t appended_ = 0;
};

} // namespace chargifyd::test

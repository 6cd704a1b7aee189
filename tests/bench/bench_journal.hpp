#pragma once

#include "waiting_append.hpp"

#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace chargifyd::bench {

/// A journal that is filled in large batches.
class bench_journal {
public:
    explicit bench_journal(const std::filesystem::path& directory)
    {
        journal::options with;
        with.directory = directory;
        with.disk_floor_bytes = 0;
        auto opened = journal::log::open(with, journal::real_file_system(), system_now, instruments_);
        if (!opened)
            throw std::runtime_error(opened.error().message);
        log_ = std::move(*opened);
    }

    /// Appends bodies, and waits until all are durable.
    void append(const std::vector<std::string>& bodies)
    {
        constexpr std::size_t at_once = 1024;
        std::vector<std::unique_ptr<test::waiting_append>> under_way;
        for (const std::string& body : bodies) {
            auto one = std::make_unique<test::waiting_append>(body);
            ++appended_;
            one->fingerprint = {}; // every one is new to the journal's memory of recent ones
            std::memcpy(one->fingerprint.data(), &appended_, sizeof appended_);
            if (log_->submit(*one) != journal::append_status::stored)
                throw std::runtime_error("the journal takes no more");
            under_way.push_back(std::move(one));
            if (under_way.size() == at_once)
                wait(under_way);
        }
        wait(under_way);
    }

    journal::log& log() { return *log_; }

private:
    static void wait(std::vector<std::unique_ptr<test::waiting_append>>& under_way)
    {
        for (const auto& one : under_way) {
            if (one->wait() != journal::append_status::stored)
                throw std::runtime_error("append failed");
        }
        under_way.clear();
    }

    metrics::registry instruments_;
    std::unique_ptr<journal::log> log_;
    std::uint64_t appended_ = 0;
};

} // namespace chargifyd::bench

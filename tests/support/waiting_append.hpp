#pragma once

#include "chargifyd/journal/journal.hpp"

#include <future>
#include <string>

namespace chargifyd::test {

/// An append that owns what it points to.
class waiting_append final : public journal::append_operation {
public:
    explicit waiting_append(std::string text, std::string from = "192.0.2.1", std::string of = "acme")
        : text_(std::move(text))
        , from_(std::move(from))
        , of_(std::move(of))
    {
        site = of_;
        peer = from_;
        body = text_;
        for (std::size_t i = 0; i < text_.size(); ++i) // no two bodies of a test share it
            fingerprint[i % fingerprint.size()] ^=
                static_cast<unsigned char>(text_[i] + static_cast<char>(i));
        received_at = timestamp(std::chrono::seconds(1'800'000'000));
    }

    void complete(journal::append_status status) noexcept override { done_.set_value(status); }
    journal::append_status wait() { return done_.get_future().get(); }

private:
    std::string text_;
    std::string from_;
    std::string of_;
    std::promise<journal::append_status> done_;
};

} // namespace chargifyd::test

#pragma once

#include "chargifyd/ingress/record_memory.hpp"

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>

namespace chargifyd::ingress {

/// Bytes received and not yet used up. Its memory is not touched before bytes arrive: a length that is only
/// declared costs nothing.
class read_buffer {
public:
    std::string_view view() const noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    /// The same bytes, to be changed in place.
    std::span<char> bytes() noexcept { return {bytes_.get() + begin_, end_ - begin_}; }
    bool empty() const noexcept { return begin_ == end_; }
    std::size_t capacity() const noexcept { return capacity_; }

    /// Makes room for a message of `total` bytes from the beginning of `view()`. Moves the bytes: views into
    /// them end.
    void reserve(std::size_t total)
    {
        if (begin_ + total <= capacity_)
            return;
        if (total <= capacity_) {
            std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
        } else {
            memory larger(static_cast<char*>(record_memory::take(total)));
            if (!larger)
                throw std::bad_alloc();
            if (!empty())
                std::memcpy(larger.get(), bytes_.get() + begin_, end_ - begin_);
            bytes_ = std::move(larger);
            capacity_ = total;
        }
        end_ -= begin_;
        begin_ = 0;
    }

    /// Where the next bytes go; empty when there is no room.
    std::span<char> space() noexcept { return {bytes_.get() + end_, capacity_ - end_}; }
    void commit(std::size_t bytes) noexcept { end_ += bytes; }
    void consume(std::size_t bytes) noexcept { begin_ += bytes; }
    /// Gives the memory back when no byte is left.
    void release_if_empty() noexcept
    {
        if (empty())
            *this = read_buffer();
    }

private:
    struct give_back {
        void operator()(char* block) const noexcept { record_memory::give_back(block); }
    };
    using memory = std::unique_ptr<char[], give_back>;

    memory bytes_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace chargifyd::ingress

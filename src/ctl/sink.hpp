#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace chargifyd::ctl {

/// The reader of stdout has gone (`chargifyctl events | head`): the command ends, and says nothing.
class reader_gone : public std::exception {};

/// Where a command's data goes. Throws reader_gone, or failure when the data cannot be written.
class sink {
public:
    virtual ~sink() = default;
    virtual void write(std::string_view bytes) = 0;
    /// Hands on what is still held back.
    virtual void flush() = 0;
};

/// A file descriptor, written in blocks. SIGPIPE is ignored by the process.
class descriptor_sink final : public sink {
public:
    explicit descriptor_sink(int fd) noexcept
        : fd_(fd)
    {}
    void write(std::string_view bytes) override;
    void flush() override;

private:
    int fd_;
    std::string held_;
};

} // namespace chargifyd::ctl

#pragma once

#include <string>
#include <string_view>

namespace chargifyd {

/// A key or token. It cannot be printed or compared by accident, and its bytes are wiped when it goes.
class secret {
public:
    secret() = default;
    explicit secret(std::string bytes);
    secret(const secret& other);
    secret(secret&& other) noexcept;
    secret& operator=(secret other) noexcept;
    ~secret();

    bool empty() const noexcept { return bytes_.empty(); }
    /// The bytes themselves. The name is meant to stand out at the few places that need them.
    std::string_view reveal() const noexcept { return bytes_; }

private:
    void wipe() noexcept;

    std::string bytes_;
};

} // namespace chargifyd

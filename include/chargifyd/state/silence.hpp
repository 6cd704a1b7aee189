#pragma once

#include "chargifyd/base/error.hpp"
#include "chargifyd/base/time.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace chargifyd::state {

/// How long a site was silent between its latest webhooks (a thousand at most).
struct usual_silence {
    std::string site;
    timestamp last{};                ///< when the last webhook came
    std::chrono::seconds longest{0}; ///< between two of them
    std::size_t webhooks = 0;        ///< that were looked at

    /// Longer than usual by far: an endpoint that was disabled, a name that leads elsewhere, a firewall. Few
    /// webhooks say nothing about what is usual.
    bool is_alarming(timestamp now) const noexcept;
};

/// Of every site in a state file.
result<std::vector<usual_silence>> usual_silences(const std::filesystem::path& state_file);

} // namespace chargifyd::state

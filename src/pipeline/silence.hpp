#pragma once

#include "chargifyd/base/metrics.hpp"
#include "chargifyd/base/time.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace chargifyd::pipeline {

/// Notices sites from which nothing comes any more. One thread at a time.
class silence_watch {
public:
    silence_watch(std::filesystem::path state_file, metrics::registry& instruments);

    /// Warns when a silence begins to be alarming, and says when it ends. A state that cannot be read is
    /// looked at the next time.
    void look(timestamp now);

private:
    std::filesystem::path state_file_;
    metrics::registry& instruments_;
    std::map<std::string, bool> alarmed_;
};

} // namespace chargifyd::pipeline

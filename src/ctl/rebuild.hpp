#pragma once

#include "ctl/context.hpp"

#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/pipeline/rebuild.hpp"
#include "chargifyd/state/options.hpp"

#include <cstdint>
#include <filesystem>

namespace chargifyd::ctl {

/// Makes the state anew and puts it into place, with and without a daemon. Nobody else does meanwhile.
class rebuilder {
public:
    /// Goes on as the owner of the state directory; fails while another rebuild is under way.
    explicit rebuilder(context& ctx);
    /// Returns how many webhooks were applied.
    std::uint64_t run() const;

private:
    static pipeline::rebuild_lock lock(const std::filesystem::path& directory);

    context& ctx_;
    pipeline::options with_;
    state::options state_with_;
    pipeline::rebuild_lock held_;
};

} // namespace chargifyd::ctl

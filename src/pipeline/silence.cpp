#include "silence.hpp"

#include "chargifyd/base/log.hpp"
#include "chargifyd/state/silence.hpp"

#include <chrono>
#include <utility>

namespace chargifyd::pipeline {

silence_watch::silence_watch(std::filesystem::path state_file, metrics::registry& instruments)
    : state_file_(std::move(state_file))
    , instruments_(instruments)
{}

void silence_watch::look(timestamp now)
{
    const auto found = state::usual_silences(state_file_);
    if (!found)
        return;
    for (const state::usual_silence& of : *found) {
        const bool alarming = of.is_alarming(now);
        instruments_
            .make_gauge("site_silent",
                        "1 while no webhook has come for much longer than is usual for the site.",
                        {{"site", of.site}})
            .set(alarming ? 1 : 0);
        if (std::exchange(alarmed_[of.site], alarming) == alarming)
            continue;
        if (alarming)
            log::warning(
                "no webhook for much longer than usual; is the endpoint enabled at Chargify, and does its "
                "name lead here?",
                {{"site", of.site},
                 {"silent_seconds", std::chrono::duration_cast<std::chrono::seconds>(now - of.last).count()},
                 {"longest_before_seconds", of.longest.count()}});
        else
            log::info("webhooks come again", {{"site", of.site}});
    }
}

} // namespace chargifyd::pipeline

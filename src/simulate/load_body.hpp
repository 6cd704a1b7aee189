#pragma once

#include "marked_body.hpp"

#include "chargifyd/simulate/body.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::simulate {

/// The webhooks of a load, over and over: several actions, each of one subscription and with one or more
/// webhooks. Const functions from any thread.
class load_cycle {
public:
    /// `bytes`: the size of a payment's body; the others have their natural size.
    load_cycle(load_mix mix, const std::string& site, std::size_t bytes);

    /// Where the webhook of a number stands.
    struct place {
        std::uint64_t step = 0;   ///< in the cycle
        std::uint64_t action = 0; ///< counted over all cycles
    };
    place place_of(std::uint64_t n) const noexcept;
    /// Webhooks in the first so many actions.
    std::uint64_t webhooks_of(std::uint64_t actions) const noexcept;
    webhook fill(std::uint64_t step, const body_numbers& with) const;

private:
    struct step {
        marked_body body;
        std::uint64_t action;
    };

    void add_action(const std::string& site, std::string_view scene_key,
                    const std::vector<std::string_view>& events);
    void add_renewals(const std::string& site);
    void add_signups(const std::string& site);
    void add_payment(const std::string& site, std::size_t bytes);

    std::vector<step> steps_;
    std::uint64_t actions_ = 0;
};

/// `whole` shortened or prolonged to about so many bytes: what a receiver needs is kept.
std::string fit_payment(std::string whole, std::size_t bytes);

} // namespace chargifyd::simulate

#include "chargifyd/quarantine/quarantine.hpp"

#include <future>

namespace chargifyd::quarantine {

namespace {

using journal::append_status;

/// An append that a thread waits for.
class awaited_append final : public journal::append_operation {
public:
    void complete(append_status status) noexcept override { done_.set_value(status); }
    append_status wait() { return done_.get_future().get(); }

private:
    std::promise<append_status> done_;
};

append_status append(journal::log& into, const entry& e)
{
    awaited_append operation;
    operation.site = e.site;
    operation.peer = e.peer;
    operation.body = e.body;
    operation.received_at = e.received_at;
    operation.fingerprint = e.signature;
    const append_status accepted = into.submit(operation);
    return accepted == append_status::stored ? operation.wait() : accepted;
}

} // namespace

result<released> release(store& from, journal::log& into, const std::function<bool(const entry&)>& genuine)
{
    released done;
    for (const std::uint64_t number : from.numbers()) {
        const auto kept = from.read(number);
        if (!kept || !genuine(*kept)) {
            done.left += kept || kept.error().code != errc::not_found;
            continue;
        }
        const append_status status = append(into, *kept);
        if (status != append_status::stored && status != append_status::duplicate)
            return make_error(errc::unavailable, "the journal takes no webhooks now; " +
                                                     std::to_string(done.moved) +
                                                     " were moved, try again for the others");
        if (auto removed = from.remove(number); !removed)
            return removed.error();
        ++done.moved;
    }
    return done;
}

} // namespace chargifyd::quarantine

// What scripts/bench measures without a daemon. Prints one line of JSON for each result.
//
// usage: bench_lab growth DIRECTORY WEBHOOKS SUBSCRIPTIONS...
//            CPU time of applying one webhook, at each number of subscriptions
//        bench_lab compress DIRECTORY WEBHOOKS
//            bytes of a journal, received and compressed
//        bench_lab journal DIRECTORY WEBHOOKS
//            makes a state directory with so many webhooks journalled
#include "bench_journal.hpp"
#include "large_journal.hpp"
#include "pipeline/checkpointer.hpp"

#include "chargifyd/pipeline/options.hpp"
#include "chargifyd/simulate/body.hpp"
#include "chargifyd/state/projection.hpp"
#include "chargifyd/state/sqlite_store.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::bench {

namespace {

constexpr std::size_t batch_webhooks = pipeline::options{}.batch_webhooks;
/// Spreads numbers in a row over all of 64 bits (Fibonacci hashing).
constexpr std::uint64_t scatter = 0x9e3779b97f4a7c15;

double cpu_seconds()
{
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// A state that grows, one webhook after the other, on this thread.
class growing_state {
public:
    explicit growing_state(const std::filesystem::path& directory)
    {
        std::filesystem::create_directories(directory);
        auto opened = state::sqlite_store::open(directory / state::state_file_name, "bench", {});
        if (!opened)
            throw std::runtime_error(opened.error().message);
        store_ = std::move(*opened);
        checkpoints_.emplace(*store_, instruments_);
    }

    /// One webhook of each of `size` subscriptions that is not there yet.
    void grow_to(std::uint64_t size)
    {
        while (size_ < size) {
            const std::uint64_t some = std::min<std::uint64_t>(batch_webhooks, size - size_);
            apply(some, [this] { return simulate::load_webhook("acme", size_++, largest); });
        }
    }

    /// CPU time of applying more webhooks, spread over all subscriptions.
    double spread(std::uint64_t webhooks)
    {
        double seconds = 0;
        for (std::uint64_t done = 0; done < webhooks; done += batch_webhooks)
            seconds += apply(batch_webhooks, [this] {
                // Each number is new; modulo the population it says which subscription.
                const std::uint64_t member = (++spread_ * scatter >> 32U) % size_;
                return simulate::load_webhook("acme", (spread_ + 1) * largest + member, largest);
            });
        return seconds;
    }

private:
    static constexpr std::uint64_t largest = 100'000'000;

    template <class Make>
    double apply(std::uint64_t count, Make make)
    {
        std::vector<state::webhook> batch;
        for (std::uint64_t i = 0; i < count; ++i)
            batch.push_back(state::prepare(++sequence_, "acme", timestamp{}, make().body));
        const double before = cpu_seconds();
        state::row_cache rows(*store_);
        store_->begin();
        for (const state::webhook& w : batch) {
            if (state::apply(*store_, rows, w).result == state::outcome::dead)
                throw std::runtime_error("a dead letter");
        }
        rows.flush();
        store_->commit(sequence_);
        checkpoints_->run_if_due();
        return cpu_seconds() - before;
    }

    std::unique_ptr<state::sqlite_store> store_;
    metrics::registry instruments_;
    std::optional<pipeline::checkpointer> checkpoints_;
    std::uint64_t size_ = 0;
    std::uint64_t sequence_ = 0;
    std::uint64_t spread_ = 0;
};

void growth(const std::string& directory, std::uint64_t webhooks, const std::vector<std::uint64_t>& sizes)
{
    growing_state state(directory);
    for (const std::uint64_t size : sizes) {
        const auto began = std::chrono::steady_clock::now();
        state.grow_to(size);
        const std::chrono::duration<double> seeding = std::chrono::steady_clock::now() - began;
        state.spread(webhooks /
                     4); // what a larger state costs once, when its pages are read first, is not counted
        const double seconds = state.spread(webhooks);
        const auto bytes =
            std::filesystem::file_size(std::filesystem::path(directory) / state::state_file_name);
        std::printf("{\"subscriptions\": %llu, \"apply_us\": %.2f, \"state_bytes\": %llu, "
                    "\"seeding_seconds\": %.1f}\n",
                    static_cast<unsigned long long>(size), seconds / static_cast<double>(webhooks) * 1e6,
                    static_cast<unsigned long long>(bytes), seeding.count());
        std::fflush(stdout);
    }
}

/// Lives differ in names, amounts, moments and chapters, so that they compress no better than real ones
/// might.
void compress(const std::string& directory, std::uint64_t webhooks)
{
    bench_journal journal(directory);
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    simulate::population_options with;
    with.subscriptions = 64;
    while (sent < webhooks) {
        std::vector<std::string> bodies;
        for (simulate::webhook& w : simulate::population(with)) {
            received += w.body.size();
            bodies.push_back(std::move(w.body));
        }
        journal.append(bodies);
        sent += bodies.size();
        with.seed += with.subscriptions;
    }
    journal.log().rotate();
    const auto began = std::chrono::steady_clock::now();
    const auto done = journal.log().compress(journal.log().durable_sequence());
    if (!done)
        throw std::runtime_error(done.error().message);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
    std::uint64_t bytes = 0;
    for (const journal::segment_info& s : journal.log().segments())
        bytes += s.compressed ? s.bytes : 0;
    std::printf(
        "{\"webhooks\": %llu, \"received_bytes\": %llu, \"compressed_bytes\": %llu, \"seconds\": %.3f}\n",
        static_cast<unsigned long long>(sent), static_cast<unsigned long long>(received),
        static_cast<unsigned long long>(bytes), seconds.count());
}

bool run(const std::vector<std::string>& words)
{
    const auto number = [&](std::size_t i) { return std::uint64_t{std::stoull(words.at(i))}; };
    if (words.size() >= 4 && words[0] == "growth") {
        std::vector<std::uint64_t> sizes;
        for (std::size_t i = 3; i < words.size(); ++i)
            sizes.push_back(number(i));
        growth(words[1], number(2), sizes);
    } else if (words.size() == 3 && words[0] == "compress") {
        compress(words[1], number(2));
    } else if (words.size() == 3 && words[0] == "journal") {
        make_large_journal(words[1], number(2));
    } else {
        return false;
    }
    return true;
}

} // namespace

} // namespace chargifyd::bench

int main(int argc, char** argv)
{
    try {
        return chargifyd::bench::run({argv + 1, argv + argc}) ? 0 : 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_lab: %s\n", e.what());
        return 1;
    }
}

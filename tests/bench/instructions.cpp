// One path of the daemon with a fixed number of webhooks, for callgrind (instructions.py).
//
// usage: bench_instructions ack|ack_tls|prepare_payments|prepare_renewals|apply_payments|apply_renewals
//
// Prints how many webhooks were counted.
#include "counted.hpp"

#include <cstdio>
#include <cstring>
#include <exception>
#include <string_view>
#include <valgrind/callgrind.h>

namespace chargifyd::bench {

void count(const std::function<void()>& work)
{
    CALLGRIND_START_INSTRUMENTATION;
    work();
    CALLGRIND_STOP_INSTRUMENTATION;
}

namespace {

std::size_t run(std::string_view path)
{
    if (path == "ack")
        return acknowledge(false);
    if (path == "ack_tls")
        return acknowledge(true);
    if (path.starts_with("prepare_"))
        return prepare(path.substr(std::strlen("prepare_")));
    if (path.starts_with("apply_"))
        return apply(path.substr(std::strlen("apply_")));
    return 0;
}

} // namespace

} // namespace chargifyd::bench

int main(int argc, char** argv)
{
    try {
        const std::size_t counted = argc == 2 ? chargifyd::bench::run(argv[1]) : 0;
        std::printf("%zu\n", counted);
        return counted > 0 ? 0 : 2;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "bench_instructions: %s\n", e.what());
        return 1;
    }
}

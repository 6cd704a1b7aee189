#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

/// What bench_instructions counts.
namespace chargifyd::bench {

/// Runs `work` with callgrind counting; counts nothing outside of valgrind.
void count(const std::function<void()>& work);

/// Webhooks through the ingress and the journal, 64 connections side by side. The clients run on the calling
/// thread, which the count leaves out. Returns how many webhooks were counted.
std::size_t acknowledge(bool tls);

/// state::prepare over a mix of webhooks, on the calling thread. Returns how many were counted.
std::size_t prepare(std::string_view mix);

/// A journal followed into a state: reading, preparing, applying, committing. Returns how many webhooks were
/// counted.
std::size_t apply(std::string_view mix);

} // namespace chargifyd::bench

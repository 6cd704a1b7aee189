#pragma once

#include <cstddef>

/// Memory for what a connection holds only while bytes are under way: its read buffer and what TLS needs for
/// a record or a handshake, all of 16 to 24 KiB. It is given back after each request, so that idle
/// connections are cheap. From the common heap such blocks would be split and joined each time, and would
/// leave holes among the objects that live as long as their connection: two thirds of the memory, after many
/// connected at once. Here they have pages of their own, and each thread keeps some for its next request,
/// when they are still in the processor's cache.
namespace chargifyd::ingress::record_memory {

/// Blocks that a thread keeps, at most; the pages of what is given back beyond that return to the system.
inline constexpr std::size_t most_kept = 64;

/// As `malloc`: null when there is no memory.
void* take(std::size_t bytes) noexcept;
/// Of `take`, in any thread. Null is ignored.
void give_back(void* block) noexcept;
/// How many blocks the calling thread keeps.
std::size_t kept() noexcept;

/// Lets OpenSSL take its memory from here. To be called before anything else in `main`: once OpenSSL has
/// allocated something, it stays with the common heap.
void serve_openssl() noexcept;

} // namespace chargifyd::ingress::record_memory

#pragma once

#include <cstddef>

/// Memory for what a connection holds only while bytes are under way: its read buffer and the records of TLS,
/// all of about 16 KiB. They are given back after each request, so that idle connections are cheap, and the
/// allocator would split and join its large blocks each time. Here each thread keeps a few of them for its
/// next request, when they are still in the processor's cache.
namespace chargifyd::ingress::record_memory {

/// Blocks that a thread keeps, at most; what is given back beyond that goes to the allocator.
inline constexpr std::size_t most_kept = 64;

/// As `malloc`: null when there is no memory.
void* take(std::size_t bytes) noexcept;
/// Of `take`, in any thread. Null is ignored.
void give_back(void* block) noexcept;
/// How many blocks the calling thread keeps.
std::size_t kept() noexcept;

/// Lets OpenSSL take its memory from here, and gives blocks of this size pages of their own. To be called
/// before anything else in `main`: once OpenSSL has allocated something, it stays with the allocator.
void install() noexcept;

} // namespace chargifyd::ingress::record_memory

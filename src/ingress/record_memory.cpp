#include "chargifyd/ingress/record_memory.hpp"

#include <openssl/crypto.h>

#include <array>
#include <cstdlib>
#include <malloc.h>

namespace chargifyd::ingress::record_memory {
namespace {

/// What is kept: a read buffer has 16 KiB, a record of TLS that and up to 400 bytes around it. A block of
/// this size is five pages with what the allocator adds to it.
constexpr std::size_t smallest = std::size_t{16} * 1024;
constexpr std::size_t block_bytes = std::size_t{20} * 1024 - 32;
/// What the allocator may give beyond it.
constexpr std::size_t slack = 256;

// Trivial, so that memory may still be given back while the thread's other objects end.
thread_local std::array<void*, most_kept> blocks;
thread_local std::size_t count = 0;
thread_local bool ended = false;

struct ending {
    ~ending()
    {
        ended = true;
        while (count > 0)
            std::free(blocks[--count]);
    }
};

void* allocate(std::size_t bytes, const char*, int) noexcept
{
    return take(bytes);
}

void* reallocate(void* block, std::size_t bytes, const char*, int) noexcept
{
    return std::realloc(block, bytes);
}

void release(void* block, const char*, int) noexcept
{
    give_back(block);
}

} // namespace

void* take(std::size_t bytes) noexcept
{
    if (bytes < smallest || bytes > block_bytes)
        return bytes == 0 ? nullptr : std::malloc(bytes);
    return count > 0 ? blocks[--count] : std::malloc(block_bytes);
}

void give_back(void* block) noexcept
{
    if (block == nullptr)
        return;
    const std::size_t usable = malloc_usable_size(block);
    if (usable < block_bytes || usable > block_bytes + slack || count == most_kept || ended) {
        std::free(block);
        return;
    }
    static thread_local const ending frees_what_is_kept;
    blocks[count++] = block;
}

std::size_t kept() noexcept
{
    return count;
}

void install() noexcept
{
    // Blocks that only live for a handshake or a request get pages of their own and give them back. Among
    // those that live as long as their connection they would leave holes: two thirds of the memory after many
    // had connected at once.
    mallopt(M_MMAP_THRESHOLD, smallest);
    CRYPTO_set_mem_functions(allocate, reallocate, release);
}

} // namespace chargifyd::ingress::record_memory

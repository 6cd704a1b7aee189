#include "chargifyd/ingress/record_memory.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sys/mman.h>
#include <vector>

namespace chargifyd::ingress::record_memory {
namespace {

/// A read buffer has 16 KiB, a record of TLS that and up to 400 bytes around it, a handshake's messages 22
/// KiB.
constexpr std::size_t smallest = std::size_t{16} * 1024;
constexpr std::size_t block_bytes = std::size_t{24} * 1024;
constexpr std::size_t most_blocks = 65'536;

/// Address space for all blocks; memory is behind those only that are in use or kept by a thread.
class region {
public:
    region()
        : begin_(static_cast<char*>(::mmap(nullptr, most_blocks * block_bytes, PROT_READ | PROT_WRITE,
                                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)))
    {
        if (begin_ == MAP_FAILED) {
            begin_ = nullptr;
            used_ = most_blocks;
        }
        free_.reserve(most_blocks);
    }

    bool holds(const void* block) const noexcept
    {
        const auto at = reinterpret_cast<std::uintptr_t>(block);
        const auto begin = reinterpret_cast<std::uintptr_t>(begin_);
        return begin_ != nullptr && at >= begin && at < begin + most_blocks * block_bytes;
    }

    void* take() noexcept
    {
        const std::lock_guard hold(mutex_);
        if (!free_.empty()) {
            void* const block = free_.back();
            free_.pop_back();
            return block;
        }
        return used_ < most_blocks ? begin_ + used_++ * block_bytes : nullptr;
    }

    void give_back(void* block) noexcept
    {
        ::madvise(block, block_bytes, MADV_DONTNEED);
        const std::lock_guard hold(mutex_);
        free_.push_back(block);
    }

private:
    char* begin_;
    std::mutex mutex_;
    std::vector<void*> free_; ///< has room for all
    std::size_t used_ = 0;    ///< blocks that were ever taken
};

/// Never destroyed: OpenSSL gives memory back when the process ends.
region& all_blocks() noexcept
{
    static region* const all = new region;
    return *all;
}

// Trivial, so that memory may still be given back while the thread's other objects end.
thread_local std::array<void*, most_kept> blocks;
thread_local std::size_t count = 0;
thread_local bool ended = false;

struct ending {
    ~ending()
    {
        ended = true;
        while (count > 0)
            all_blocks().give_back(blocks[--count]);
    }
};

void* allocate(std::size_t bytes, const char*, int) noexcept
{
    return take(bytes);
}

void* reallocate(void* block, std::size_t bytes, const char*, int) noexcept
{
    if (block == nullptr)
        return take(bytes);
    if (!all_blocks().holds(block))
        return std::realloc(block, bytes);
    void* const larger = take(bytes);
    if (larger != nullptr) {
        std::memcpy(larger, block, std::min(bytes, block_bytes));
        give_back(block);
    }
    return larger;
}

void release(void* block, const char*, int) noexcept
{
    give_back(block);
}

} // namespace

void* take(std::size_t bytes) noexcept
{
    if (bytes < smallest || bytes > block_bytes)
        return std::malloc(bytes);
    if (count > 0)
        return blocks[--count];
    void* const block = all_blocks().take();
    return block != nullptr ? block : std::malloc(bytes);
}

void give_back(void* block) noexcept
{
    if (block == nullptr)
        return;
    if (!all_blocks().holds(block)) {
        std::free(block);
        return;
    }
    if (count == most_kept || ended) {
        all_blocks().give_back(block);
        return;
    }
    static thread_local const ending gives_back_what_is_kept;
    blocks[count++] = block;
}

std::size_t kept() noexcept
{
    return count;
}

void serve_openssl() noexcept
{
    CRYPTO_set_mem_functions(allocate, reallocate, release);
}

} // namespace chargifyd::ingress::record_memory

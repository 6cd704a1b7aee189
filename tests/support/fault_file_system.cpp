#include "fault_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace chargifyd::test {

namespace {

constexpr std::size_t sector = 512;

std::size_t sectors(std::size_t bytes)
{
    return (bytes + sector - 1) / sector;
}

/// Copies one sector as far as `to` is long; what `from` does not have is zero.
void copy_sector(const std::string& from, std::string& to, std::size_t index)
{
    const std::size_t begin = index * sector;
    for (std::size_t at = begin; at < std::min(begin + sector, to.size()); ++at)
        to[at] = at < from.size() ? from[at] : '\0';
}

std::string parent(const std::string& path)
{
    return std::filesystem::path(path).parent_path().string();
}

} // namespace

class fault_file_system::open_file final : public journal::file {
public:
    open_file(fault_file_system& all, std::shared_ptr<node> what)
        : all_(all)
        , node_(std::move(what))
    {}

    int write_at(std::span<const char> bytes, std::uint64_t offset) noexcept override
    {
        const std::lock_guard hold(all_.mutex_);
        const int failed = all_.begin(call::write);
        const std::size_t end = offset + bytes.size();
        const std::size_t longer = end > node_->now.size() ? end - node_->now.size() : 0;
        if (failed == 0 && longer > 0 && all_.used() + longer > all_.capacity_)
            return ENOSPC;
        const std::string before = failed == 0 ? std::string() : node_->now;
        node_->now.resize(std::max(node_->now.size(), end));
        std::memcpy(node_->now.data() + offset, bytes.data(), bytes.size());
        mark_dirty(*node_, offset, end);
        for (std::size_t i = offset / sector; failed != 0 && i < sectors(end); ++i) {
            if (all_.coin())
                copy_sector(before, node_->now, i);
        }
        return failed;
    }

    int read_at(std::span<char> into, std::uint64_t offset, std::size_t* got) const noexcept override
    {
        const std::lock_guard hold(all_.mutex_);
        *got = 0;
        if (const int failed = all_.begin(call::read))
            return failed;
        if (offset < node_->now.size())
            *got = node_->now.copy(into.data(), into.size(), offset);
        return 0;
    }

    int sync() noexcept override
    {
        all_.call_hook();
        const std::lock_guard hold(all_.mutex_);
        const int failed = all_.begin(call::sync);
        if (failed == 0 || all_.coin())
            node_->disk.resize(node_->now.size());
        for (std::size_t i = 0; i < node_->dirty.size(); ++i) {
            if (node_->dirty[i] && (failed == 0 || all_.coin()))
                copy_sector(node_->now, node_->disk, i);
        }
        node_->dirty.assign(node_->dirty.size(), false);
        return failed;
    }

    int allocate(std::uint64_t length) noexcept override
    {
        const std::lock_guard hold(all_.mutex_);
        if (const int failed = all_.begin(call::allocate))
            return failed;
        const std::size_t before = node_->now.size();
        if (length <= before)
            return 0;
        if (all_.used() + length - before > all_.capacity_)
            return ENOSPC;
        node_->now.resize(length);
        mark_dirty(*node_, before, length);
        return 0;
    }

    int truncate(std::uint64_t length) noexcept override
    {
        const std::lock_guard hold(all_.mutex_);
        if (const int failed = all_.begin(call::truncate))
            return failed;
        const std::size_t before = node_->now.size();
        node_->now.resize(length);
        if (length > before)
            mark_dirty(*node_, before, length);
        return 0;
    }

    int size(std::uint64_t* bytes) const noexcept override
    {
        const std::lock_guard hold(all_.mutex_);
        if (const int failed = all_.begin(call::size))
            return failed;
        *bytes = node_->now.size();
        return 0;
    }

private:
    fault_file_system& all_;
    std::shared_ptr<node> node_;
};

fault_file_system::fault_file_system()
{
    now_["/state"] = std::make_shared<node>();
    now_["/state"]->directory = true;
    disk_ = now_;
}

void fault_file_system::fail(call what, std::size_t nth, int errno_value, bool for_ever)
{
    const std::lock_guard hold(mutex_);
    rules_[static_cast<std::size_t>(what)] = {nth, errno_value, for_ever};
}

void fault_file_system::heal()
{
    const std::lock_guard hold(mutex_);
    rules_ = {};
}

std::size_t fault_file_system::count(call what) const
{
    const std::lock_guard hold(mutex_);
    return counts_[static_cast<std::size_t>(what)];
}

void fault_file_system::before_sync(std::function<void()> hook)
{
    const std::lock_guard hold(mutex_);
    before_sync_ = std::move(hook);
}

void fault_file_system::set_capacity(std::uint64_t bytes)
{
    const std::lock_guard hold(mutex_);
    capacity_ = bytes;
}

void fault_file_system::call_hook()
{
    std::function<void()> hook;
    {
        const std::lock_guard hold(mutex_);
        hook = before_sync_;
    }
    if (hook)
        hook();
}

bool fault_file_system::failed_once() const
{
    const std::lock_guard hold(mutex_);
    return failed_;
}

int fault_file_system::begin(call what)
{
    const auto kind = static_cast<std::size_t>(what);
    ++counts_[kind];
    rule& r = rules_[kind];
    if (r.nth == 0 || --r.nth > 0)
        return 0;
    if (r.for_ever)
        r.nth = 1;
    failed_ = true;
    return r.errno_value;
}

bool fault_file_system::coin()
{
    return random_() % 2 == 0;
}

void fault_file_system::mark_dirty(node& of, std::size_t from, std::size_t to)
{
    of.dirty.resize(std::max(of.dirty.size(), sectors(to)));
    for (std::size_t i = from / sector; i < sectors(to); ++i)
        of.dirty[i] = true;
}

std::uint64_t fault_file_system::used() const
{
    std::uint64_t bytes = 0;
    for (const auto& [path, what] : now_)
        bytes += what->now.size();
    return bytes;
}

void fault_file_system::apply(tree& names, const change& what)
{
    if (!what.removed.empty())
        names.erase(what.removed);
    if (!what.added.empty())
        names[what.added] = what.what;
}

void fault_file_system::change_name(std::string removed, std::string added, std::shared_ptr<node> what)
{
    const std::string in = parent(removed.empty() ? added : removed);
    changes_.push_back({in, std::move(removed), std::move(added), std::move(what)});
    apply(now_, changes_.back());
}

std::unique_ptr<fault_file_system> fault_file_system::after_power_loss(loss how, std::uint64_t seed) const
{
    const std::lock_guard hold(mutex_);
    std::mt19937_64 random(seed);
    const auto kept = [&random, how] { return how == loss::random && random() % 2 == 0; };
    tree names = disk_;
    for (const change& c : changes_) {
        if (kept())
            apply(names, c);
    }
    auto next = std::make_unique<fault_file_system>();
    next->now_.clear();
    next->random_.seed(seed);
    for (const auto& [path, what] : names) {
        const auto in = names.find(parent(path));
        if (path != "/state" && in == names.end())
            continue;
        auto left = std::make_shared<node>();
        left->directory = what->directory;
        left->now = what->disk;
        if (kept())
            left->now.resize(what->now.size());
        for (std::size_t i = 0; i < what->dirty.size(); ++i) {
            if (what->dirty[i] && kept())
                copy_sector(what->now, left->now, i);
        }
        left->disk = left->now;
        next->now_[path] = left;
    }
    next->disk_ = next->now_;
    return next;
}

std::unique_ptr<fault_file_system> fault_file_system::copy() const
{
    const std::lock_guard hold(mutex_);
    auto next = std::make_unique<fault_file_system>();
    std::map<const node*, std::shared_ptr<node>> copies;
    const auto copied = [&copies](const std::shared_ptr<node>& of) {
        std::shared_ptr<node>& to = copies[of.get()];
        if (!to && of)
            to = std::make_shared<node>(*of);
        return to;
    };
    next->now_.clear();
    next->disk_.clear();
    for (const auto& [path, what] : now_)
        next->now_[path] = copied(what);
    for (const auto& [path, what] : disk_)
        next->disk_[path] = copied(what);
    for (const change& c : changes_)
        next->changes_.push_back({c.directory, c.removed, c.added, copied(c.what)});
    return next;
}

std::string fault_file_system::content(const std::filesystem::path& path) const
{
    const std::lock_guard hold(mutex_);
    const auto found = now_.find(path.string());
    if (found == now_.end())
        throw std::runtime_error("no such file: " + path.string());
    return found->second->now;
}

bool fault_file_system::exists(const std::filesystem::path& path) const
{
    const std::lock_guard hold(mutex_);
    return now_.count(path.string()) > 0;
}

void fault_file_system::set_content(const std::filesystem::path& path, std::string bytes)
{
    const std::lock_guard hold(mutex_);
    auto put = std::make_shared<node>();
    put->now = bytes;
    put->disk = std::move(bytes);
    now_[path.string()] = put;
    disk_[path.string()] = put;
}

std::map<std::string, std::string> fault_file_system::contents() const
{
    const std::lock_guard hold(mutex_);
    std::map<std::string, std::string> all;
    for (const auto& [path, what] : now_)
        all[path] = what->now;
    return all;
}

int fault_file_system::open(const std::filesystem::path& path, mode how,
                            std::unique_ptr<journal::file>* opened) noexcept
{
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::open))
        return failed;
    auto found = now_.find(path.string());
    if (how == mode::create) {
        if (found != now_.end())
            return EEXIST;
        if (now_.count(parent(path.string())) == 0)
            return ENOENT;
        change_name({}, path.string(), std::make_shared<node>());
        found = now_.find(path.string());
    }
    if (found == now_.end())
        return ENOENT;
    *opened = std::make_unique<open_file>(*this, found->second);
    return 0;
}

int fault_file_system::make_directory(const std::filesystem::path& path) noexcept
{
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::make_directory))
        return failed;
    if (const auto found = now_.find(path.string()); found != now_.end())
        return found->second->directory ? 0 : ENOTDIR;
    auto made = std::make_shared<node>();
    made->directory = true;
    change_name({}, path.string(), made);
    return 0;
}

int fault_file_system::list(const std::filesystem::path& directory, std::vector<std::string>* names) noexcept
{
    const std::lock_guard hold(mutex_);
    names->clear();
    if (const int failed = begin(call::list))
        return failed;
    if (now_.count(directory.string()) == 0)
        return ENOENT;
    for (const auto& [path, what] : now_) {
        if (parent(path) == directory.string())
            names->push_back(std::filesystem::path(path).filename().string());
    }
    std::sort(names->begin(), names->end());
    return 0;
}

int fault_file_system::rename(const std::filesystem::path& from, const std::filesystem::path& to) noexcept
{
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::rename))
        return failed;
    const auto found = now_.find(from.string());
    if (found == now_.end())
        return ENOENT;
    change_name(from.string(), to.string(), found->second);
    return 0;
}

int fault_file_system::remove(const std::filesystem::path& path) noexcept
{
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::remove))
        return failed;
    if (now_.count(path.string()) == 0)
        return ENOENT;
    change_name(path.string(), {}, {});
    return 0;
}

int fault_file_system::sync_directory(const std::filesystem::path& directory) noexcept
{
    call_hook();
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::sync_directory))
        return failed;
    for (const change& c : changes_) {
        if (c.directory == directory.string())
            apply(disk_, c);
    }
    std::erase_if(changes_, [&directory](const change& c) { return c.directory == directory.string(); });
    return 0;
}

int fault_file_system::free_bytes(const std::filesystem::path&, std::uint64_t* bytes) noexcept
{
    const std::lock_guard hold(mutex_);
    if (const int failed = begin(call::free_bytes))
        return failed;
    *bytes = capacity_ - std::min(capacity_, used());
    return 0;
}

} // namespace chargifyd::test

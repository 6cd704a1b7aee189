#include "ctl/listening.hpp"

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace chargifyd::ctl {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view listens = "0A";
constexpr std::size_t word_digits = 8;

template <class T>
std::optional<T> number(std::string_view digits, int base)
{
    T value{};
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size())
        return std::nullopt;
    return value;
}

std::set<std::uint64_t> socket_inodes(pid_t process)
{
    constexpr std::string_view start = "socket:[";
    std::set<std::uint64_t> inodes;
    std::error_code failed;
    for (fs::directory_iterator at(fs::path("/proc") / std::to_string(process) / "fd", failed), end;
         !failed && at != end; at.increment(failed)) {
        std::error_code gone;
        const std::string target = fs::read_symlink(at->path(), gone).string();
        if (!gone && target.starts_with(start) && target.ends_with(']'))
            if (const auto inode = number<std::uint64_t>(
                    std::string_view(target).substr(start.size(), target.size() - start.size() - 1), 10))
                inodes.insert(*inode);
    }
    return inodes;
}

/// "0100007F:1F90": words in the machine's order of bytes.
std::optional<std::string> parse_address(std::string_view text)
{
    const auto colon = text.find(':');
    const auto port = number<std::uint16_t>(text.substr(std::min(text.size(), colon + 1)), 16);
    if ((colon != word_digits && colon != 4 * word_digits) || !port)
        return std::nullopt;
    std::array<std::uint32_t, 4> words{};
    for (std::size_t i = 0; i * word_digits < colon; ++i) {
        const auto word = number<std::uint32_t>(text.substr(i * word_digits, word_digits), 16);
        if (!word)
            return std::nullopt;
        words[i] = *word;
    }
    std::array<char, INET6_ADDRSTRLEN> name{};
    const bool six = colon != word_digits;
    ::inet_ntop(six ? AF_INET6 : AF_INET, words.data(), name.data(), name.size());
    const std::string host = six ? "[" + std::string(name.data()) + "]" : std::string(name.data());
    return host + ":" + std::to_string(*port);
}

} // namespace

std::vector<std::string> parse_listening(std::string_view text, const std::set<std::uint64_t>& inodes)
{
    std::vector<std::string> found;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::array<std::string, 10>
            field; // the second is the local address, the fourth the state, then the inode
        for (std::string& f : field)
            fields >> f;
        const auto inode = number<std::uint64_t>(field[9], 10);
        const auto address = parse_address(field[1]);
        if (field[3] == listens && inode && inodes.contains(*inode) && address)
            found.push_back(*address);
    }
    return found;
}

std::vector<std::string> listening_addresses(pid_t process)
{
    const std::set<std::uint64_t> inodes = socket_inodes(process);
    std::vector<std::string> found;
    for (const char* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ostringstream text;
        text << std::ifstream(table).rdbuf();
        for (std::string& address : parse_listening(text.str(), inodes))
            found.push_back(std::move(address));
    }
    return found;
}

} // namespace chargifyd::ctl

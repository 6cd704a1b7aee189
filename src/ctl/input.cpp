#include "ctl/input.hpp"

#include "chargifyd/base/file.hpp"

#include <cerrno>
#include <string.h>
#include <string_view>
#include <unistd.h>

namespace chargifyd::ctl {

namespace {

constexpr std::size_t longest_input = 64 * 1024 * 1024;
constexpr std::size_t longest_key_file = 4096;

std::string_view trimmed(std::string_view text) noexcept
{
    constexpr std::string_view white = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(white);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

/// From where it stands: /dev/stdin would begin a file anew, and cannot open a socket.
result<std::string> read_standard_input()
{
    std::string content;
    char block[16 * 1024];
    for (;;) {
        const ssize_t n = ::read(STDIN_FILENO, block, sizeof block);
        if (n == 0)
            return content;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return system_error(errno, "cannot read standard input");
        content.append(block, static_cast<std::size_t>(n));
        if (content.size() > longest_input)
            return make_error(errc::invalid, "standard input holds more than 64 MiB");
    }
}

} // namespace

bool is_standard_input(const std::filesystem::path& path)
{
    return path.empty() || path == "-";
}

result<std::string> read_input(const std::filesystem::path& path)
{
    return is_standard_input(path) ? read_standard_input() : read_small_file(path, longest_input);
}

result<secret> read_key_file(const std::filesystem::path& path)
{
    result<std::string> content = read_small_file(path, longest_key_file);
    if (!content)
        return content.error();
    const std::string_view line = trimmed(*content);
    secret key{std::string(line)};
    const bool one_line = line.find_first_of("\r\n") == std::string_view::npos;
    ::explicit_bzero(content->data(), content->size());
    if (key.empty())
        return make_error(errc::invalid, path.string() + " is empty; it must hold the Site Shared Key");
    if (!one_line)
        return make_error(errc::invalid, path.string() + " has more than one line; it must hold one key");
    return key;
}

} // namespace chargifyd::ctl

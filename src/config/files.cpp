#include "config/files.hpp"

#include "config/words.hpp"

#include "chargifyd/base/file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace chargifyd::config {

namespace {

constexpr std::size_t longest_secret_file = 4096;
constexpr std::string_view credential = "credential:";

error reason(int errno_value)
{
    return make_error(errc::io, std::generic_category().message(errno_value));
}

} // namespace

std::filesystem::path named_file(const std::filesystem::path& folder, std::string_view text)
{
    if (!text.starts_with(credential))
        return folder / text;
    // What runs beside the daemon, as its user or root, finds them where systemd puts them.
    const char* const directory = ::secure_getenv("CREDENTIALS_DIRECTORY");
    return std::filesystem::path(directory != nullptr ? directory : "/run/credentials/chargifyd.service") /
           text.substr(credential.size());
}

result<readable_file> check_readable(const std::filesystem::path& path)
{
    struct stat about {};
    if (::stat(path.c_str(), &about) != 0)
        return reason(errno);
    if (S_ISDIR(about.st_mode))
        return reason(EISDIR);
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0)
        return reason(errno);
    return readable_file{(about.st_mode & S_IROTH) != 0};
}

result<secret> read_secret(const std::filesystem::path& path)
{
    result<std::string> content = read_small_file(path, longest_secret_file);
    if (!content)
        return make_error(errc::invalid, "it is longer than 4096 bytes or failed while it was read");
    const std::string_view line = trimmed(*content);
    if (line.find_first_of("\r\n") != std::string_view::npos) {
        ::explicit_bzero(content->data(), content->size());
        return make_error(errc::invalid, "it has more than one line");
    }
    secret out{std::string(line)};
    ::explicit_bzero(content->data(), content->size());
    return out;
}

std::string_view trimmed(std::string_view text) noexcept
{
    constexpr std::string_view white = " \t\r\n\v\f";
    const std::size_t first = text.find_first_not_of(white);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::string unreadable(std::string_view path_as_written, std::string_view reason)
{
    if (path_as_written.starts_with(credential))
        return in_quotes(path_as_written, 256) + " cannot be used: " + std::string(reason) +
               "; pass it with LoadCredential=NAME:FILE in the service's unit, then restart";
    std::string text = path_as_written.find_first_of("/.") != std::string_view::npos
                           ? in_quotes(path_as_written, 256) + " cannot be used: "
                           : "names a file that cannot be used: ";
    text += reason;
    text += "; correct the path, the file or its permissions";
    return text;
}

std::string open_to_all(const std::filesystem::path& path)
{
    return "names a file that every user of this machine may read; chmod o-r " +
           in_quotes(path.string(), std::string::npos);
}

} // namespace chargifyd::config

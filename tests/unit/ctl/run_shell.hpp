#pragma once

#include <array>
#include <cstdio>
#include <string>

namespace chargifyd::ctl {

struct shell_outcome {
    int status = -1;
    std::string out; ///< stdout and stderr
};

inline shell_outcome run_shell(const std::string& command)
{
    shell_outcome o;
    std::FILE* const from = ::popen(("exec 2>&1; " + command).c_str(), "r");
    if (from == nullptr)
        return o;
    std::array<char, 4096> block{};
    while (const std::size_t n = std::fread(block.data(), 1, block.size(), from))
        o.out.append(block.data(), n);
    o.status = ::pclose(from);
    return o;
}

inline bool has_program(const std::string& name)
{
    return run_shell("command -v " + name).status == 0;
}

} // namespace chargifyd::ctl

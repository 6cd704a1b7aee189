#pragma once

#include "temporary_directory.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace chargifyd::config {

/// A temporary directory to put files in.
class folder : public test::temporary_directory {
public:
    /// Writes a file and gives its path. `mode` as for chmod.
    std::filesystem::path file(const std::string& name, std::string_view content, unsigned mode = 0600) const
    {
        const std::filesystem::path at = path() / name;
        std::ofstream(at, std::ios::binary) << content;
        std::filesystem::permissions(at, static_cast<std::filesystem::perms>(mode));
        return at;
    }
};

} // namespace chargifyd::config

#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace chargifyd::chargify {

/// Every captured body by its file name, when CHARGIFYD_SAMPLES names a folder with such files; else nothing.
/// Captures are other people's material and no part of this repository.
inline std::map<std::string, std::string> captured_bodies()
{
    std::map<std::string, std::string> bodies;
    const char* const folder = std::getenv("CHARGIFYD_SAMPLES");
    if (folder == nullptr || *folder == '\0')
        return bodies;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".form")
            continue;
        std::ifstream file(entry.path(), std::ios::binary);
        bodies[entry.path().filename().string()].assign(std::istreambuf_iterator<char>(file), {});
    }
    return bodies;
}

} // namespace chargifyd::chargify

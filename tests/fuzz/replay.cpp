#include "fuzz.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <vector>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool limits_memory = false; // the sanitizers themselves need more
#else
constexpr bool limits_memory = true;
#endif

/// Gives the files of a folder to a harness, one after the other, for compilers without libFuzzer.
///
/// usage: fuzz_replay_NAME FOLDER
int main(int count, char** arguments)
{
    namespace fs = std::filesystem;
    if (count != 2) {
        std::fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    // As libFuzzer: an input that takes more memory than this is a finding.
    constexpr rlimit two_gib{rlim_t{2} << 30, rlim_t{2} << 30};
    if (limits_memory && ::setrlimit(RLIMIT_AS, &two_gib) != 0)
        return 1;
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : fs::directory_iterator(arguments[1])) {
        if (entry.is_regular_file())
            files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const fs::path& file : files) {
        std::printf("%s\n", file.filename().c_str());
        std::fflush(stdout); // the last name is the one that failed
        std::ifstream in(file, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
        // As libFuzzer gives it: in memory that ends where the input ends.
        const std::vector<std::uint8_t> input(bytes.begin(), bytes.end());
        LLVMFuzzerTestOneInput(input.data(), input.size());
    }
    std::printf("%zu inputs\n", files.size());
    return files.empty() ? 1 : 0;
}

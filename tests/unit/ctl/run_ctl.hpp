#pragma once

#include "ctl/application.hpp"

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace chargifyd::ctl {

class string_sink final : public sink {
public:
    void write(std::string_view bytes) override { text += bytes; }
    void flush() override { flushed = text.size(); }

    std::string text;
    std::size_t flushed = 0;
};

struct outcome {
    int status = 0;
    std::string out;
    std::string err;
};

/// Runs the program in this process; stdout is a terminal without colours, or a pipe.
inline outcome run_ctl(const std::vector<std::string>& arguments, bool terminal = false)
{
    std::vector<const char*> argv = {"chargifyctl"};
    for (const std::string& a : arguments)
        argv.push_back(a.c_str());
    string_sink out;
    std::ostringstream err;
    outcome o;
    o.status = run(static_cast<int>(argv.size()), argv.data(), {out, err, terminal, false});
    o.out = out.text.substr(0, out.flushed);
    o.err = err.str();
    return o;
}

} // namespace chargifyd::ctl

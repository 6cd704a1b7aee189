#include "ctl/application.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <unistd.h>

int main(int argc, char** argv)
{
    using namespace chargifyd::ctl;
    // A reader that goes away is then an error of write(), which ends the command quietly and in order.
    std::signal(SIGPIPE, SIG_IGN);
    descriptor_sink out(STDOUT_FILENO);
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const bool colour = terminal && wants_colour(std::getenv("NO_COLOR"), std::getenv("TERM"));
    try {
        return run(argc, argv, {out, std::cerr, terminal, colour});
    } catch (const reader_gone&) {
        return static_cast<int>(exit_code::done);
    } catch (const std::exception& e) {
        std::cerr << "chargifyctl: " << e.what() << '\n';
        return static_cast<int>(exit_code::failed);
    }
}

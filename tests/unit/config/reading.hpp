#pragma once

#include "folder.hpp"

#include "chargifyd/config/settings.hpp"

#include <string>
#include <vector>

namespace chargifyd::config {

/// A folder with what a configuration names (key, key2, cert.pem, key.pem, token), and readings of texts in
/// it.
class reading {
public:
    reading()
    {
        dir.file("key", "k3y-of-acme\n");
        dir.file("key2", "other-k3y\n");
        dir.file("cert.pem", "certificate");
        dir.file("key.pem", "private", 0640);
        dir.file("token", "t0ken\n");
    }

    loaded parse(const std::string& text) const { return config::parse(text, dir.path() / "c.toml"); }

    /// The smallest valid file, and `more` at its end.
    static std::string valid(const std::string& more = {})
    {
        return "[ingress]\nhttp = [\"127.0.0.1:8080\"]\n[[site]]\nname = \"acme\"\nshared_keys = "
               "[\"k3y\"]\n" +
               more;
    }

    /// Mistakes as "line text".
    std::vector<std::string> mistakes(const std::string& text) const { return lines(parse(text).mistakes); }
    std::vector<std::string> warnings(const std::string& text) const { return lines(parse(text).warnings); }

    static std::vector<std::string> lines(const std::vector<mistake>& all)
    {
        std::vector<std::string> texts;
        for (const mistake& m : all)
            texts.push_back(std::to_string(m.line) + " " + m.text);
        return texts;
    }

    folder dir;
};

} // namespace chargifyd::config

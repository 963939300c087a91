// How the tests of config load text, and what they say about faults.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "config/loader.hpp"

namespace steward::config {

// The smallest file with something added.
inline std::string with(const std::string& more)
{
    return "[service]\ncommand = [\"/bin/true\"]\n" + more;
}

// A fault as one line: "3:5 message (suggestion)".
inline std::string told(const Diagnostic& fault)
{
    std::string text = std::to_string(fault.line) + ":" + std::to_string(fault.column) + " " + fault.message;
    return fault.suggestion.empty() ? text : text + " (" + fault.suggestion + ")";
}

inline std::string faults_of(const std::string& text, const std::string& file = "web.toml", const std::string& name = "web")
{
    const auto loaded = load_text(text, file, name);
    std::string all;
    if (loaded) return all;
    for (const Diagnostic& fault : loaded.error().diagnostics) all += told(fault) + "\n";
    return all;
}

// The spec of a text that must load.
inline ServiceSpec spec_of(const std::string& text, const std::string& file = "web.toml", const std::string& name = "web")
{
    const auto loaded = load_text(text, file, name);
    if (loaded) return loaded->spec;
    ADD_FAILURE() << text << "\n" << faults_of(text, file, name);
    return {};
}

// The value that show tells for a key; "(none)" where it tells none.
inline std::string shown(const std::vector<ResolvedKey>& keys, const std::string& path)
{
    for (const ResolvedKey& key : keys) {
        if (key.path == path) return key.value;
    }
    return "(none)";
}

}  // namespace steward::config

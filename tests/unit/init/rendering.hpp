// A service file's text, rendered.
#pragma once

#include <string>

#include <gtest/gtest.h>

#include "config/loader.hpp"
#include "init/render.hpp"

namespace steward::init {

inline Result<Rendered> render_text(const std::string& text, InitSystem system, bool with_steward = true, const std::string& name = "web",
                                    Scope scope = Scope::system)
{
    auto loaded = config::load_text(text, "/etc/steward/" + name + ".toml", name);
    EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().message() + loaded.error().diagnostics.front().message);
    if (!loaded) return fail(loaded.error());
    return render(system, {.spec = loaded->spec,
                           .written = written_keys(loaded->keys),
                           .scope = scope,
                           .service_file = name + ".toml",
                           .source_hash = "0123456789abcdef",
                           .steward = "/usr/bin/steward",
                           .with_steward = with_steward});
}

inline std::string with_command(const std::string& rest)
{
    return "[service]\ncommand = [\"/bin/true\"]\n" + rest;
}

}  // namespace steward::init

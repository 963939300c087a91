// Any bytes as a service file: loading ends in a spec or in placed faults, and what a spec renders to loads to the same spec.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "config/loader.hpp"

using namespace steward;

namespace {

[[noreturn]] void give_up(const char* what, const std::string& text)
{
    std::fprintf(stderr, "%s\n%s\n", what, text.c_str());
    std::abort();
}

void try_file(const std::string& text, const std::string& file, const std::string& name)
{
    const auto loaded = config::load_text(text, file, name);
    if (!loaded) {
        if (loaded.error().code != ErrorCode::invalid_service_file) give_up("an error of another kind", loaded.error().message());
        if (loaded.error().diagnostics.empty()) give_up("a failure without a fault", text);
        for (const Diagnostic& fault : loaded.error().diagnostics) {
            if (fault.message.empty()) give_up("a fault without words", text);
        }
        return;
    }
    const std::string rendered = config::render(loaded->spec);
    const auto again = config::load_text(rendered, "rendered.toml", name);
    if (!again) give_up(again.error().message().c_str(), rendered);
    if (again->spec != loaded->spec) give_up("the rendered file says something else", rendered);
    if (config::render(again->spec) != rendered) give_up("the second rendering differs", rendered);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    try_file(text, "web.toml", "web");
    try_file(text, "worker@.toml", "worker@blue");
    return 0;
}

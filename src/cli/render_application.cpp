#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

std::string value_of(const std::string& toml)
{
    return toml.empty() ? "none" : toml;
}

std::string sentence(const Application& done, bool dry_run, const Style& style)
{
    const std::string why = done.reason.empty() ? "" : ": " + printable(done.reason, style.unicode);
    if (!done.running) return "is not running" + why;
    if (!done.means) return done.reason.empty() ? "runs as its file says" : "is left as it is" + why;
    const std::string would = dry_run ? "would be " : "";
    if (*done.means == Means::restart) return would + style.paint(Paint::green, "restarted") + why;
    return would + style.paint(Paint::green, "applied") + (*done.means == Means::live ? " live" : " by signal") + why;
}

}  // namespace

std::string render_application(const Application& done, bool dry_run, const Style& style)
{
    const std::string name = printable(done.name, style.unicode) + ": ";
    const char* arrow = style.unicode ? " → " : " -> ";
    std::string text;
    for (const KeyChange& change : done.keys) {
        const std::string values = value_of(change.before) + arrow + value_of(change.after);
        text += name + style.paint(Paint::bold, std::string(to_string(change.means))) + ": " +
                printable(change.key + ": " + values, style.unicode) + "\n";
    }
    text += render_changes(done.name, done.files, dry_run, style);
    return text + name + sentence(done, dry_run, style) + "\n";
}

}  // namespace steward::cli

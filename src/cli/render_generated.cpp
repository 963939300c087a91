#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

std::string render_notes(const Generated& generated, const Style& style, bool all)
{
    std::string text;
    for (const KeyNote& note : generated.notes) {
        const bool lost = note.how == Expression::lost;
        if (!lost && note.system != InitSystem::systemd && !all) continue;
        const std::string end = lost ? style.paint(Paint::red, "lost") : "the service runs under steward";
        text += generated.name + ": " + std::string(to_string(note.system)) + ": " + note.key + " " +
                printable(note.reason, style.unicode) + ": " + end + "\n";
    }
    return text;
}

std::string render_files(const Generated& generated, bool named)
{
    std::string text;
    for (const GeneratedFile& file : generated.files) {
        if (named) text += "==> " + file.path + " <==\n";
        text += file.text;
        if (named) text += "\n";
    }
    return text;
}

std::string render_scripts(const std::vector<PackageScript>& scripts, const std::string& destination)
{
    std::string text;
    for (const PackageScript& script : scripts) {
        text +=
            destination.empty() ? "==> " + script.name + " <==\n" + script.text + "\n" : "wrote " + destination + "/" + script.name + "\n";
    }
    return text;
}

std::string render_written(const Generated& generated, const std::string& destination)
{
    std::string text;
    for (const GeneratedFile& file : generated.files) text += generated.name + ": wrote " + destination + file.path + "\n";
    return text;
}

}  // namespace steward::cli

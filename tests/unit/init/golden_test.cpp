// What every init system gets for a few service files, hostile ones among them: tests/golden/init. The real tools read the same files in
// tests/integration/test_generate.py.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rendering.hpp"

namespace steward::init {
namespace {

namespace stdfs = std::filesystem;

const stdfs::path golden = STEWARD_SOURCE_ROOT "/tests/golden/init";

std::string content_of(const stdfs::path& path)
{
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

std::string described(const Result<Rendered>& rendered)
{
    if (!rendered) return rendered.error().message() + "\n";
    std::ostringstream text;
    for (const KeyNote& note : rendered->notes) text << note.key << " " << note.reason << ": " << to_string(note.how) << "\n";
    for (const GeneratedFile& file : rendered->files) text << "==> " << file.path << " " << std::oct << file.mode << " <==\n" << file.text;
    return text.str();
}

void compare(const stdfs::path& file, const std::string& text)
{
    if (std::getenv("STEWARD_UPDATE_GOLDEN") != nullptr) std::ofstream(file) << text;
    EXPECT_EQ(content_of(file), text) << file << " (STEWARD_UPDATE_GOLDEN=1 rewrites it)";
}

TEST(Golden, every_file_of_every_init_system_is_as_it_was)
{
    for (const auto& entry : stdfs::directory_iterator(golden)) {
        if (entry.path().extension() != ".toml") continue;
        const std::string name = entry.path().stem();
        const std::string text = content_of(entry.path());
        for (const InitSystem system : init_systems) {
            const stdfs::path file = golden / (name + "." + std::string(to_string(system)));
            compare(file, described(render_text(text, system, true, name)));
            compare(file.string() + "-plain", described(render_text(text, system, false, name)));
        }
        compare(golden / (name + ".systemd-user"), described(render_text(text, InitSystem::systemd, true, name, Scope::user)));
    }
}

}  // namespace
}  // namespace steward::init

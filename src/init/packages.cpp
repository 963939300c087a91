#include "init/packages.hpp"

#include <span>
#include <string_view>

#include "init/fill.hpp"
#include "init/templates.hpp"

namespace steward::init {

namespace {

struct Template {
    const char* name;
    std::string_view text;
};

constexpr Template deb[] = {{"preinst", templates::deb_preinst},
                            {"postinst", templates::deb_postinst},
                            {"prerm", templates::deb_prerm},
                            {"postrm", templates::deb_postrm}};
constexpr Template rpm[] = {{"post", templates::rpm_post}, {"preun", templates::rpm_preun}, {"postun", templates::rpm_postun}};

}  // namespace

std::vector<PackageScript> package_scripts(PackageFormat format, const std::vector<std::string>& services)
{
    // A service's name has no character that a shell would take for more.
    std::string names;
    for (const std::string& service : services) names += (names.empty() ? "" : " ") + service;
    Values values;
    values.words["NAMES"] = names;
    std::vector<PackageScript> scripts;
    for (const auto& [name, text] : format == PackageFormat::deb ? std::span<const Template>(deb) : std::span<const Template>(rpm))
        scripts.push_back({.name = name, .text = fill(text, values)});
    return scripts;
}

}  // namespace steward::init

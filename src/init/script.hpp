// What the files of several init systems have in common.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "init/fill.hpp"
#include "init/render.hpp"

namespace steward::init {

// Of the native kind: without steward.
enum class Form { native, steward };

// Name, service file, hash, steward's path.
[[nodiscard]] Values common_values(const Request& request);
// description and documentation as comments.
[[nodiscard]] Lines comments(const Request& request);

// The service's script of SysV init or OpenRC.
[[nodiscard]] Rendered init_d_script(const Request& request, std::string_view text, const Values& values);

[[nodiscard]] long whole_seconds(Duration duration);  // rounded up

// The branches of a finish script's `case $1:$signal` for restart.policy; and what holds for every other end.
struct Ends {
    Lines branches;
    std::string otherwise;  // "yes", "no"
};
[[nodiscard]] Ends ends(const Request& request);

// One a renderer's file.
Rendered render_systemd(const Request& request, Form form);
Rendered render_sysv(const Request& request, Form form);
Rendered render_openrc(const Request& request, Form form);
Rendered render_runit(const Request& request, Form form);
Rendered render_s6(const Request& request, Form form);
Rendered render_dinit(const Request& request, Form form);

}  // namespace steward::init

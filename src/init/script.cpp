#include "init/script.hpp"

#include "init/quote.hpp"

namespace steward::init {

Values common_values(const Request& request)
{
    Values values;
    values.words["NAME"] = request.spec.name;
    values.words["SERVICE_FILE"] = comment(request.service_file);
    values.words["HASH"] = request.source_hash;
    values.words["STEWARD"] = shell_word(request.steward);
    values.blocks["COMMENT"] = comments(request);
    return values;
}

Lines comments(const Request& request)
{
    Lines lines;
    if (!request.spec.service.description.empty()) lines.push_back("# " + comment(request.spec.service.description));
    for (const std::string& uri : request.spec.service.documentation) lines.push_back("# See " + comment(uri));
    return lines;
}

long whole_seconds(Duration duration)
{
    return static_cast<long>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

Rendered init_d_script(const Request& request, std::string_view text, const Values& values)
{
    Rendered rendered;
    rendered.files.push_back({.path = "/etc/init.d/" + request.spec.name, .mode = 0755, .text = fill(text, values)});
    return rendered;
}

// systemd's classes: success is 0, [restart] success-exit-codes, or an end by HUP, INT, TERM or PIPE; abnormal is any other signal.
Ends ends(const Request& request)
{
    const auto policy = request.spec.restart.policy;
    std::string success = "0:0";
    for (const int code : request.spec.restart.success_exit_codes) success += " | " + std::to_string(code) + ":0";
    success += " | *:1 | *:2 | *:15 | *:13";
    const auto branch = [](const std::string& pattern, const char* again) { return "    " + pattern + ") again=" + again + " ;;"; };
    switch (policy) {
        case RestartPolicyKind::never: return {{}, "no"};
        case RestartPolicyKind::always: return {{}, "yes"};
        case RestartPolicyKind::on_success: return {{branch(success, "yes")}, "no"};
        case RestartPolicyKind::on_failure: return {{branch(success, "no")}, "yes"};
        case RestartPolicyKind::on_abnormal: return {{branch(success, "no"), branch("*:0", "no")}, "yes"};
    }
    return {};
}

}  // namespace steward::init

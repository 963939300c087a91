// Tells what it was born with, as JSON with one key a line: show_self [--stay] [ANYTHING]... With --stay it lives on afterwards.
#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string quoted(std::string_view text)
{
    std::string json = "\"";
    for (const char c : text) {
        char escape[8];
        if (c == '"' || c == '\\') {
            json += std::string("\\") + c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
            json += escape;
        } else {
            json += c;
        }
    }
    return json + "\"";
}

std::string joined(const std::vector<std::string>& parts, const char* before, const char* after)
{
    std::string json = before;
    for (const auto& part : parts) json += (&part == parts.data() ? "" : ", ") + part;
    return json + after;
}

template <class... Ids>
std::string numbers(Ids... ids)
{
    return joined({std::to_string(ids)...}, "[", "]");
}

std::string link_at(const std::string& path)
{
    std::array<char, 4096> target{};
    const ssize_t size = readlink(path.c_str(), target.data(), target.size());
    return size < 0 ? "" : std::string(target.data(), static_cast<std::size_t>(size));
}

// "Uid:\t0\t0\t0\t0" of /proc/self/status → "0 0 0 0"; empty where there is no /proc.
std::map<std::string, std::string> status()
{
    std::map<std::string, std::string> fields;
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        const auto value = line.find_first_not_of(" \t", colon + 1);
        if (colon != std::string::npos && value != std::string::npos) fields[line.substr(0, colon)] = line.substr(value);
    }
    return fields;
}

std::string open_descriptors()
{
    std::vector<std::string> entries;
    DIR* directory = opendir("/proc/self/fd");
    if (directory == nullptr) return "{}";
    while (const dirent* entry = readdir(directory)) {
        const std::string name = entry->d_name;
        if (name.front() == '.' || name == std::to_string(dirfd(directory))) continue;
        entries.push_back(quoted(name) + ": " + quoted(link_at("/proc/self/fd/" + name)));
    }
    closedir(directory);
    return joined(entries, "{", "}");
}

std::string limits()
{
    std::vector<std::string> entries;
    for (const auto& [name, number] : std::map<std::string, __rlimit_resource_t>{
             {"core", RLIMIT_CORE}, {"cpu", RLIMIT_CPU}, {"fsize", RLIMIT_FSIZE}, {"nofile", RLIMIT_NOFILE}, {"stack", RLIMIT_STACK}}) {
        rlimit limit{};
        getrlimit(number, &limit);
        entries.push_back(quoted(name) + ": " + numbers(limit.rlim_cur, limit.rlim_max));
    }
    return joined(entries, "{", "}");
}

std::string affinity()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    std::vector<std::string> cpus;
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &set)) cpus.push_back(std::to_string(cpu));
    }
    return joined(cpus, "[", "]");
}

std::string groups()
{
    std::vector<gid_t> ids(static_cast<std::size_t>(std::max(0, getgroups(0, nullptr))));
    if (getgroups(static_cast<int>(ids.size()), ids.data()) < 0) return "[]";
    std::sort(ids.begin(), ids.end());
    std::vector<std::string> texts;
    for (const gid_t id : ids) texts.push_back(std::to_string(id));
    return joined(texts, "[", "]");
}

std::string octal_umask()
{
    const mode_t mask = umask(0);
    umask(mask);
    char text[8];
    std::snprintf(text, sizeof text, "%03o", static_cast<unsigned>(mask));
    return quoted(text);
}

std::string first_line(const char* path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

// The seventh field of /proc/self/stat: 0 without a terminal.
std::string terminal()
{
    const std::string stat = first_line("/proc/self/stat");
    std::istringstream rest(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    std::string field;
    for (int i = 3; i <= 7; ++i) rest >> field;
    return field;
}

}  // namespace

int main(int argc, char** argv, char** environment)
{
    std::vector<std::string> arguments, variables;
    for (int i = 0; i < argc; ++i) arguments.push_back(quoted(argv[i]));
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const auto equals = std::min(entry.find('='), entry.size() - 1);
        variables.push_back(quoted(entry.substr(0, equals)) + ": " + quoted(entry.substr(equals + 1)));
    }
    const std::string descriptors = open_descriptors();
    std::array<char, 4096> directory{};
    uid_t uid[3];
    gid_t gid[3];
    getresuid(&uid[0], &uid[1], &uid[2]);
    getresgid(&gid[0], &gid[1], &gid[2]);
    std::vector<std::string> lines{
        "\"argv\": " + joined(arguments, "[", "]"),
        "\"environment\": " + joined(variables, "{", "}"),
        "\"uids\": " + numbers(uid[0], uid[1], uid[2]),
        "\"gids\": " + numbers(gid[0], gid[1], gid[2]),
        "\"groups\": " + groups(),
        "\"umask\": " + octal_umask(),
        "\"cwd\": " + quoted(getcwd(directory.data(), directory.size()) != nullptr ? directory.data() : ""),
        "\"root\": " + quoted(link_at("/proc/self/root")),
        "\"limits\": " + limits(),
        "\"nice\": " + std::to_string(getpriority(PRIO_PROCESS, 0)),
        "\"oom_score_adj\": " + quoted(first_line("/proc/self/oom_score_adj")),
        "\"affinity\": " + affinity(),
        "\"fds\": " + descriptors,
        "\"pid\": " + std::to_string(getpid()),
        "\"ppid\": " + std::to_string(getppid()),
        "\"pgid\": " + std::to_string(getpgrp()),
        "\"sid\": " + std::to_string(getsid(0)),
        "\"tty\": " + quoted(terminal()),
    };
    const auto fields = status();
    for (const auto& [key, field] : std::map<std::string, std::string>{{"cap_inherited", "CapInh"},
                                                                       {"cap_permitted", "CapPrm"},
                                                                       {"cap_effective", "CapEff"},
                                                                       {"cap_bounding", "CapBnd"},
                                                                       {"cap_ambient", "CapAmb"},
                                                                       {"no_new_privs", "NoNewPrivs"},
                                                                       {"signals_blocked", "SigBlk"},
                                                                       {"signals_ignored", "SigIgn"}}) {
        const auto value = fields.find(field);
        lines.push_back(quoted(key) + ": " + quoted(value == fields.end() ? "" : value->second));
    }
    std::string json = "{\n";
    for (const auto& line : lines) json += "  " + line + (&line == &lines.back() ? "\n" : ",\n");
    json += "}\n";
    // One write, so that a reader sees all of it or nothing.
    if (write(STDOUT_FILENO, json.data(), json.size()) < 0) return 1;
    while (argc > 1 && std::string_view(argv[1]) == "--stay") pause();
}

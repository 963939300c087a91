// What each key of a service file becomes, and what is told of it.
#include <chrono>
#include <csignal>
#include <limits>

#include "config/schema.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;

constexpr std::uint64_t infinity = std::numeric_limits<std::uint64_t>::max();

TEST(Keys, a_file_with_a_command_alone_is_all_defaults)
{
    ServiceSpec expected;
    expected.name = "web";
    expected.service.command = {"/bin/true"};
    EXPECT_EQ(spec_of("[service]\ncommand = [\"/bin/true\"]"), expected);
}

TEST(Keys, every_key_of_service_reaches_the_spec)
{
    const auto service = spec_of(R"(
[service]
description = "A daemon"
documentation = ["man:x", "https://example.org"]
type = "simple"
command = "/usr/sbin/mydaemon --motto 'a b'"
options-variable = "DAEMON_OPTS"
working-directory = "/srv"
root-directory = "/jail"
user = "www-data"
group = "adm"
supplementary-groups = ["ssl-cert"]
umask = "077"
environment = { A = "1", "b.c" = "x y\n" }
environment-files = ["/etc/default/web", "-/etc/web.env"]
inherit-environment = ["TZ"]
pid-file = "/run/web.pid"
supervise = false
)")
                             .service;
    EXPECT_EQ(service.description, "A daemon");
    EXPECT_THAT(service.documentation, ElementsAre("man:x", "https://example.org"));
    EXPECT_THAT(service.command, ElementsAre("/usr/sbin/mydaemon", "--motto", "a b"));
    EXPECT_EQ(service.options_variable, "DAEMON_OPTS");
    EXPECT_EQ(service.working_directory, "/srv");
    EXPECT_EQ(service.root_directory, "/jail");
    EXPECT_EQ(service.user, "www-data");
    EXPECT_EQ(service.group, "adm");
    EXPECT_THAT(service.supplementary_groups, ElementsAre("ssl-cert"));
    EXPECT_EQ(service.umask, 077U);
    EXPECT_THAT(service.environment, ElementsAre(Pair("A", "1"), Pair("b.c", "x y\n")));
    EXPECT_THAT(service.environment_files, ElementsAre(EnvironmentFile{"/etc/default/web", false}, EnvironmentFile{"/etc/web.env", true}));
    EXPECT_EQ(service.inherit_environment, InheritEnvironment::listed);
    EXPECT_THAT(service.inherited_variables, ElementsAre("TZ"));
    EXPECT_EQ(service.pid_file, "/run/web.pid");
    EXPECT_FALSE(service.supervise);
}

TEST(Keys, a_single_string_stands_for_a_list_of_one)
{
    const auto spec = spec_of(
        with("documentation = \"man:x\"\nsupplementary-groups = \"adm\"\nenvironment-files = \"-/e\"\n[directories]\nstate = \"web\""));
    EXPECT_THAT(spec.service.documentation, ElementsAre("man:x"));
    EXPECT_THAT(spec.service.supplementary_groups, ElementsAre("adm"));
    EXPECT_THAT(spec.service.environment_files, ElementsAre(EnvironmentFile{"/e", true}));
    EXPECT_THAT(spec.directories.state, ElementsAre("web"));
}

TEST(Keys, inherit_environment_is_a_flag_or_a_list)
{
    EXPECT_EQ(spec_of(with("inherit-environment = true")).service.inherit_environment, InheritEnvironment::yes);
    EXPECT_EQ(spec_of(with("inherit-environment = false")).service.inherit_environment, InheritEnvironment::no);
    EXPECT_EQ(spec_of(with("inherit-environment = []")).service.inherit_environment, InheritEnvironment::listed);
    EXPECT_EQ(spec_of(with("")).service.inherit_environment, InheritEnvironment::automatic);
}

TEST(Keys, environment_may_be_a_table_of_its_own)
{
    EXPECT_THAT(spec_of(with("[service.environment]\nA = \"1\"")).service.environment, ElementsAre(Pair("A", "1")));
}

TEST(Keys, stop_and_reload_reach_the_spec)
{
    const auto spec = spec_of(
        with("[stop]\ncommand = [\"/bin/stop\"]\nsignal = \"SIGINT\"\ntimeout = \"1.5s\"\nmode = \"mixed\"\n[reload]\nsignal = 10\n"));
    EXPECT_THAT(spec.stop.command, ElementsAre("/bin/stop"));
    EXPECT_EQ(spec.stop.signal, SIGINT);
    EXPECT_EQ(spec.stop.timeout, 1500ms);
    EXPECT_EQ(spec.stop.mode, StopMode::mixed);
    EXPECT_EQ(spec.reload.signal, 10);
    EXPECT_THAT(spec_of(with("[reload]\ncommand = \"/bin/reload now\"")).reload.command, ElementsAre("/bin/reload", "now"));
    EXPECT_EQ(spec_of(with("[stop]\nsignal = \"RTMIN+3\"")).stop.signal, SIGRTMIN + 3);
}

TEST(Keys, restart_reaches_the_spec)
{
    const auto restart = spec_of(with(R"([restart]
policy = "on-abnormal"
delay = "1s"
factor = 3
max-delay = "1min"
jitter = 0
window = "2min"
limit = 5
success-exit-codes = [0, 143]
)"))
                             .restart;
    EXPECT_EQ(restart.policy, RestartPolicyKind::on_abnormal);
    EXPECT_EQ(restart.delay, 1s);
    EXPECT_DOUBLE_EQ(restart.factor, 3);
    EXPECT_EQ(restart.max_delay, 1min);
    EXPECT_DOUBLE_EQ(restart.jitter, 0);
    EXPECT_EQ(restart.window, 2min);
    EXPECT_EQ(restart.limit, 5U);
    EXPECT_THAT(restart.success_exit_codes, ElementsAre(0, 143));
}

TEST(Keys, a_delay_beyond_the_default_of_max_delay_takes_it_along)
{
    EXPECT_EQ(spec_of(with("[restart]\ndelay = \"5min\"")).restart.max_delay, 5min);
    EXPECT_THAT(faults_of(with("[restart]\ndelay = \"5min\"\nmax-delay = \"1min\"")), HasSubstr("max-delay is shorter than delay"));
}

TEST(Keys, log_limits_resources_and_security_reach_the_spec)
{
    const auto spec = spec_of(with(R"([log]
output = "file"
file = "/var/log/x.log"
stderr-file = "/var/log/x.err"
timestamps = "tai64n"
max-size = "64KiB"
keep = 0
max-total = 1048576
compress = "zstd"
rate-limit = "1000/10s"
[limits]
nofile = 65536
core = "infinity"
stack = "8MiB:infinity"
nproc = "18446744073709551614"
[resources]
memory = "512MiB"
cpu = "150%"
tasks = 4194304
nice = -20
oom-score-adjust = 1000
cpu-affinity = [6, "0-2", 1]
[security]
no-new-privileges = true
capabilities = ["net_bind_service", "CAP_CHOWN"]
ambient-capabilities = "Cap_Chown"
)"));
    EXPECT_EQ(spec.log, (ServiceSpec::Log{LogOutput::file,
                                          "/var/log/x.log",
                                          "/var/log/x.err",
                                          LogTimestamps::tai64n,
                                          64U << 10U,
                                          0,
                                          1U << 20U,
                                          LogCompression::zstd,
                                          {1000, 10s}}));
    EXPECT_THAT(spec.limits,
                ElementsAre(Pair("core", ResourceLimit{infinity, infinity}), Pair("nofile", ResourceLimit{65536, 65536}),
                            Pair("nproc", ResourceLimit{infinity - 1, infinity - 1}), Pair("stack", ResourceLimit{8 << 20, infinity})));
    EXPECT_THAT(spec.resources.memory, Optional(512U << 20U));
    EXPECT_THAT(spec.resources.cpu, Optional(150U));
    EXPECT_THAT(spec.resources.tasks, Optional(4194304U));
    EXPECT_THAT(spec.resources.nice, Optional(-20));
    EXPECT_THAT(spec.resources.oom_score_adjust, Optional(1000));
    EXPECT_THAT(spec.resources.cpu_affinity, ElementsAre(0, 1, 2, 6));
    EXPECT_TRUE(spec.security.no_new_privileges);
    EXPECT_THAT(spec.security.capabilities, Optional(ElementsAre("cap_net_bind_service", "cap_chown")));
    EXPECT_THAT(spec.security.ambient_capabilities, ElementsAre("cap_chown"));
    EXPECT_THAT(spec_of(with("[resources]\ncpu-affinity = \"0-1,4\"")).resources.cpu_affinity, ElementsAre(0, 1, 4));
}

TEST(Keys, a_log_is_not_larger_than_all_logs_together)
{
    EXPECT_EQ(spec_of(with("[log]\nmax-total = \"1MiB\"")).log.max_size, 256U << 10U);
    EXPECT_EQ(spec_of(with("[log]\nmax-total = \"1GiB\"")).log.max_size, 10U << 20U);
    EXPECT_THAT(faults_of(with("[log]\nmax-size = \"2MiB\"\nmax-total = \"1MiB\"")), HasSubstr("max-total is less than max-size"));
    EXPECT_THAT(faults_of(with("[log]\nmax-size = \"2MB\"")), HasSubstr("'2MB' is no size"));
    EXPECT_THAT(faults_of(with("[log]\nmax-size = -1")), HasSubstr("'-1' is no size"));
    EXPECT_EQ(spec_of(with("[log]\nrate-limit = \"none\"")).log.rate_limit.lines, 0U);
    for (const char* rate : {"1000", "0/1s", "5/0s", "/1s", "-1/1s", "1/s"}) {
        EXPECT_THAT(faults_of(with(std::string("[log]\nrate-limit = \"") + rate + "\"")), HasSubstr("is no rate")) << rate;
    }
    EXPECT_THAT(faults_of(with("[log]\nmax-size = true")), HasSubstr("a size, such as \"10MiB\", is expected"));
}

TEST(Keys, no_capabilities_is_not_the_same_as_none_said)
{
    EXPECT_THAT(spec_of(with("[security]\ncapabilities = []")).security.capabilities, Optional(IsEmpty()));
    EXPECT_EQ(spec_of(with("")).security.capabilities, std::nullopt);
}

TEST(Keys, without_a_supervisor_nothing_restarts)
{
    EXPECT_EQ(spec_of(with("supervise = false")).restart.policy, RestartPolicyKind::never);
    EXPECT_EQ(
        faults_of(with("supervise = false\n[restart]\npolicy = \"never\"\n[log]\noutput = \"null\"\n[stop]\ncommand = [\"/bin/true\"]")),
        "");
    EXPECT_EQ(faults_of(with("supervise = false\n[restart]\nlimit = 1\npolicy = \"never\"")),
              "5:1 [restart] limit needs a supervisor, and [service] supervise is false\n");
}

TEST(Keys, an_installation_is_described)
{
    EXPECT_EQ(spec_of(with("")).install, ServiceSpec::Install{});
    const auto spec = spec_of(with("[install]\nenable = false\nsupervisor = \"steward\"\n"));
    EXPECT_FALSE(spec.install.enable);
    EXPECT_EQ(spec.install.supervisor, Supervisor::steward);
    EXPECT_NE(faults_of(with("[install]\nsupervisor = \"systemd\"\n")), "");
}

TEST(Keys, settings_of_systemds_are_kept_word_for_word)
{
    const auto spec =
        spec_of(with("[systemd.Unit]\nConflicts = \"a.service\"\n[systemd.Service]\nDynamicUser = true\nNice = 5\n"
                     "ReadWritePaths = [\"/a b\", \"%S/x\"]\n[systemd.Install]\nWantedBy = []\n"));
    using Settings = ServiceSpec::Systemd::Settings;
    EXPECT_EQ(spec.systemd.unit, (Settings{{"Conflicts", {"a.service"}}}));
    EXPECT_EQ(spec.systemd.service, (Settings{{"DynamicUser", {"true"}}, {"Nice", {"5"}}, {"ReadWritePaths", {"/a b", "%S/x"}}}));
    EXPECT_EQ(spec.systemd.install, (Settings{{"WantedBy", {}}}));
    EXPECT_EQ(load_made(spec).value().spec, spec);
}

TEST(Keys, what_could_become_another_line_of_a_unit_is_refused)
{
    EXPECT_NE(faults_of(with("[systemd.Service]\nNice = \"5\\nUser=root\"\n")), "");
    EXPECT_NE(faults_of(with("[systemd.Service]\nNice = \"5\\\\\"\n")), "");
    EXPECT_NE(faults_of(with("[systemd.Service]\n\"A=b\\nUser\" = \"root\"\n")), "");
    EXPECT_NE(faults_of(with("[systemd.Service]\nNice = { a = 1 }\n")), "");
}

// The table itself: every key either takes effect or is refused by its name.
TEST(Keys, every_key_without_effect_is_refused_by_name)
{
    for (const Key& key : schema()) {
        if (key.supported()) continue;
        const std::string name = key.name == "*" ? "Anything" : std::string(key.name);
        const std::string table(key.table);
        const std::string header = table == "socket" ? "[[socket]]" : "[" + table + "]";
        EXPECT_EQ(faults_of(with(header + "\n" + name + " = 1\n")), "4:1 " + header + " " + name + " is not supported by this version\n");
    }
}

TEST(Keys, a_key_is_found_in_its_table_alone)
{
    EXPECT_NE(find_key("stop", "signal"), nullptr);
    EXPECT_EQ(find_key("service", "signal"), nullptr);
    EXPECT_NE(find_key("systemd.Unit", "Conflicts"), nullptr);
    EXPECT_EQ(find_key("systemd", "Unit"), nullptr);
}

}  // namespace
}  // namespace steward::config

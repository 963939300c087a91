// NAME@.toml describes many services: what %i becomes there, and nowhere else.
#include "loading.hpp"

namespace steward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

const std::string worker = R"([service]
description = "Worker %i, 100%%"
command = ["/usr/bin/worker", "--name=%i", "%%i"]
working-directory = "/srv/%i"
user = "%i"
environment = { QUEUE = "q-%i" }
environment-files = "-/etc/worker/%i.env"
pid-file = "/run/worker-%i.pid"
[directories]
state = "worker/%i"
[log]
output = "file"
file = "/var/log/worker-%i.log"
[stop]
command = "/usr/bin/worker --stop %i"
)";

TEST(Instances, the_instance_stands_in_arguments_paths_variables_and_the_description)
{
    const auto spec = spec_of(worker, "/etc/steward/worker@.toml", "worker@blue:1");
    EXPECT_EQ(spec.name, "worker@blue:1");
    EXPECT_EQ(spec.instance, "blue:1");
    EXPECT_EQ(spec.service.description, "Worker blue:1, 100%");
    EXPECT_THAT(spec.service.command, ElementsAre("/usr/bin/worker", "--name=blue:1", "%i"));
    EXPECT_EQ(spec.service.working_directory, "/srv/blue:1");
    EXPECT_THAT(spec.service.environment, ElementsAre(Pair("QUEUE", "q-blue:1")));
    EXPECT_EQ(spec.service.environment_files.at(0).path, "/etc/worker/blue:1.env");
    EXPECT_EQ(spec.service.pid_file, "/run/worker-blue:1.pid");
    EXPECT_THAT(spec.directories.state, ElementsAre("worker/blue:1"));
    EXPECT_EQ(spec.log.file, "/var/log/worker-blue:1.log");
    EXPECT_THAT(spec.stop.command, ElementsAre("/usr/bin/worker", "--stop", "blue:1"));
    EXPECT_EQ(spec.service.user, "%i");
}

TEST(Instances, elsewhere_a_percent_sign_is_itself)
{
    const auto spec = spec_of(with("description = \"%i %% %x 100%\""), "worker@1.toml", "worker@1");
    EXPECT_EQ(spec.service.description, "%i %% %x 100%");
    EXPECT_EQ(spec.instance, "1");
}

TEST(Instances, an_unknown_specifier_in_a_template_is_told)
{
    EXPECT_EQ(faults_of(with("description = \"100%\""), "worker@.toml", "worker@1"),
              "3:15 [service] description: only %i (the instance) and %% (a percent sign) mean something in a template\n");
}

TEST(Instances, a_template_needs_an_instance)
{
    EXPECT_THAT(faults_of(with(""), "worker@.toml", "worker@"), HasSubstr("is a template"));
    EXPECT_THAT(faults_of(with(""), "worker@.toml", "worker"), HasSubstr("is a template"));
}

TEST(Instances, an_instance_of_dots_never_reaches_a_path)
{
    EXPECT_THAT(faults_of(with(""), "worker@.toml", "worker@.."), HasSubstr("cannot be named '..'"));
    EXPECT_THAT(faults_of(with(""), "worker@.toml", "worker@."), HasSubstr("cannot be named '.'"));
}

TEST(Instances, what_was_expanded_once_is_rendered_as_it_is)
{
    const auto spec = spec_of(worker, "worker@.toml", "worker@1");
    EXPECT_EQ(spec_of(render(spec), "/run/steward/worker@1/service.toml", "worker@1"), spec);
}

}  // namespace
}  // namespace steward::config

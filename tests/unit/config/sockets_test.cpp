// [[socket]]: a table each, written back as they were read.
#include "helpers/scratch.hpp"
#include "loading.hpp"

namespace steward::config {
namespace {

using testing::ElementsAre;

const std::string two_sockets = with(R"([[socket]]
listen = "tcp://127.0.0.1:8080"

[[socket]]
name = "control"
listen = "unix:///run/web/control"
backlog = 5
mode = "0600"
)");

TEST(Sockets, are_read_in_their_order)
{
    EXPECT_THAT(spec_of(two_sockets).sockets,
                ElementsAre(Socket{.listen = "tcp://127.0.0.1:8080"},
                            Socket{.name = "control", .listen = "unix:///run/web/control", .backlog = 5, .mode = 0600}));
}

TEST(Sockets, are_written_as_they_were_read)
{
    const ServiceSpec spec = spec_of(two_sockets);
    const std::string text = render(spec);
    EXPECT_EQ(spec_of(text), spec) << text;
}

TEST(Sockets, are_shown_one_by_one_with_what_means_something)
{
    const auto loaded = load_text(two_sockets, "web.toml", "web");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(shown(loaded->keys, "socket.1.listen"), "\"tcp://127.0.0.1:8080\"");
    EXPECT_EQ(shown(loaded->keys, "socket.1.backlog"), "4096");
    EXPECT_EQ(shown(loaded->keys, "socket.1.mode"), "(none)");
    EXPECT_EQ(shown(loaded->keys, "socket.2.mode"), "\"0600\"");
    EXPECT_EQ(shown(keys_of(spec_of(with(""))), "socket.1.listen"), "(none)");
}

TEST(Sockets, are_known_by_their_names_or_the_service_s)
{
    const ServiceSpec spec = spec_of(two_sockets, "a:b@1.toml", "a:b@1");
    EXPECT_EQ(spec.name_of(spec.sockets[0]), "a_b@1") << "a colon stands between names";
    EXPECT_EQ(spec.name_of(spec.sockets[1]), "control");
}

TEST(Sockets, of_a_later_file_take_the_place_of_all_before)
{
    const test::ScratchDirectory directory;
    const auto load_with = [&](const std::string& override) {
        return load({"web", directory.write("web.toml", two_sockets), {directory.write("more.toml", override)}});
    };
    const auto other = load_with("[[socket]]\nlisten = \"udp://*:53\"\n");
    ASSERT_TRUE(other) << other.error().message();
    EXPECT_THAT(other->spec.sockets, ElementsAre(Socket{.listen = "udp://*:53"}));
    EXPECT_EQ(shown(other->keys, "socket.2.listen"), "(none)");
    const auto none = load_with("socket = []\n");
    ASSERT_TRUE(none) << none.error().message();
    EXPECT_TRUE(none->spec.sockets.empty());
}

TEST(Sockets, of_an_instance_can_have_its_name)
{
    const auto loaded = load_text(with("[[socket]]\nlisten = \"unix:///run/%i\"\n"), "worker@.toml", "worker@7");
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_EQ(loaded->spec.sockets.front().listen, "unix:///run/7");
}

TEST(Sockets, are_so_many_at_most)
{
    std::string text = with("");
    for (int port = 1; port <= 65; ++port) text += "[[socket]]\nlisten = \"tcp://*:" + std::to_string(port) + "\"\n";
    EXPECT_THAT(faults_of(text), testing::HasSubstr("64 sockets at most"));
}

}  // namespace
}  // namespace steward::config

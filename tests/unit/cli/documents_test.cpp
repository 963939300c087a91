// Holds the manual page, the completions and the description of the JSON documents to the table of verbs.
#include <algorithm>
#include <cstdio>

#include <gtest/gtest.h>

#include "cli/exit_codes.hpp"
#include "cli/verbs.hpp"
#include "golden.hpp"

namespace steward::cli {

namespace {

const char* const completions[] = {"completions/steward.bash", "completions/_steward", "completions/steward.fish"};

// Whether `word` stands in `text` as a word of its own: not inside another, not as the beginning of a longer option.
bool has_word(const std::string& text, std::string_view word)
{
    const auto is_letter = [](char c) { return (std::isalnum(static_cast<unsigned char>(c)) != 0) || c == '-'; };
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        if ((at == 0 || !is_letter(text[at - 1])) && (end == text.size() || !is_letter(text[end]))) return true;
    }
    return false;
}

// roff writes a dash that is meant as one as "\-".
std::string plain_roff(std::string text)
{
    for (std::size_t at = text.find("\\-"); at != std::string::npos; at = text.find("\\-", at)) text.erase(at, 1);
    return text;
}

TEST(Documents, the_manual_page_has_every_verb_and_option)
{
    const std::string page = plain_roff(source_file("docs/man/steward.8"));
    for (const Verb& verb : verbs()) {
        EXPECT_TRUE(page.find("\n.It Cm " + std::string(verb.name)) != std::string::npos) << verb.name;
        if (!verb.alias.empty()) {
            EXPECT_TRUE(has_word(page, verb.alias)) << verb.alias;
        }
    }
    for (const Option& option : options()) {
        EXPECT_TRUE(has_word(page, "-" + std::string(option.word))) << option.word;  // mdoc adds the first dash
        if (!option.letter.empty()) {
            EXPECT_TRUE(page.find("Fl " + std::string(option.letter)) != std::string::npos) << option.letter;
        }
        if (!option.argument.empty()) {
            EXPECT_TRUE(has_word(page, option.argument)) << option.argument;
        }
    }
}

TEST(Documents, the_completions_have_every_verb_and_option)
{
    for (const char* path : completions) {
        const std::string script = source_file(path);
        const bool is_fish = std::string_view(path).ends_with("fish");
        for (const Verb& verb : verbs()) {
            EXPECT_TRUE(has_word(script, verb.name)) << verb.name << " in " << path;
            if (!verb.alias.empty()) {
                EXPECT_TRUE(has_word(script, verb.alias)) << verb.alias << " in " << path;
            }
        }
        for (const Option& option : options()) {
            const std::string word = is_fish ? "-l " + std::string(option.word) : "--" + std::string(option.word);
            EXPECT_TRUE(has_word(script, word) || script.find(word) != std::string::npos) << word << " in " << path;
        }
    }
}

// What bash offers for each verb, by the script itself: "VERB: WORD WORD ...", one line a verb.
std::vector<std::string> lines_of_bash(const std::string& script)
{
    std::vector<std::string> lines;
    std::FILE* bash = popen(("exec bash -c '" + script + "'").c_str(), "r");
    if (bash == nullptr) return lines;
    char line[4096];
    while (std::fgets(line, sizeof line, bash) != nullptr) lines.emplace_back(line);
    pclose(bash);
    return lines;
}

TEST(Documents, bash_offers_each_verb_exactly_its_options)
{
    std::string script = "source " STEWARD_SOURCE_ROOT "/completions/steward.bash; COMP_CWORD=2; ";
    std::vector<std::string> expected;
    for (const Verb& verb : verbs()) {
        script += "COMP_WORDS=(steward " + std::string(verb.name) +
                  " -); _steward; echo $(printf \"%s\\n\" \"${COMPREPLY[@]}\" | LC_ALL=C sort); ";
        std::vector<std::string> words = option_words(&verb);
        std::sort(words.begin(), words.end());
        std::string line;
        for (const std::string& word : words) line += (line.empty() ? "" : " ") + word;
        expected.push_back(line + "\n");
    }
    EXPECT_EQ(lines_of_bash(script), expected);
}

TEST(Documents, bash_offers_every_verb)
{
    const std::string all =
        lines_of_bash("source " STEWARD_SOURCE_ROOT
                      "/completions/steward.bash; COMP_CWORD=1; COMP_WORDS=(steward \"\"); _steward; echo ${COMPREPLY[@]}")
            .at(0);
    for (const Verb& verb : verbs()) EXPECT_TRUE(has_word(all, verb.name)) << verb.name;
}

TEST(Documents, the_schema_names_every_document_and_error_code)
{
    const std::string page = source_file("docs/json.md");
    for (const char* schema : {"steward.status/1", "steward.list/1", "steward.show/1", "steward.check/1", "steward.generate/1",
                               "steward.log/1", "steward.install/1", "steward.apply/1", "steward.result/1"}) {
        EXPECT_NE(page.find(schema), std::string::npos) << schema;
    }
    for (int code = 0; code <= static_cast<int>(ErrorCode::cancelled); ++code) {
        const std::string word = "`" + std::string(to_string(static_cast<ErrorCode>(code))) + "`";
        EXPECT_NE(page.find(word), std::string::npos) << word;
    }
}

TEST(Documents, every_key_of_the_golden_documents_is_described)
{
    const std::string page = source_file("docs/json.md");
    for (const char* document : {"status.json", "list.json", "show.json", "check.json", "generate.json", "install.json", "apply.json",
                                 "log.json", "result.json"}) {
        const std::string json = source_file(std::string("tests/golden/cli/") + document);
        for (std::size_t at = json.find("\":"); at != std::string::npos; at = json.find("\":", at + 1)) {
            const std::size_t begin = json.rfind('"', at - 1) + 1;
            const std::string key = "`" + json.substr(begin, at - begin) + "`";
            EXPECT_NE(page.find(key), std::string::npos) << key << " of " << document;
        }
    }
}

}  // namespace

}  // namespace steward::cli

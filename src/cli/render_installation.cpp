#include <algorithm>

#include "cli/render.hpp"
#include "cli/text.hpp"

namespace steward::cli {

namespace {

Paint paint_of(const std::string& difference)
{
    if (difference.starts_with("---") || difference.starts_with("+++") || difference.starts_with("@@")) return Paint::bold;
    return difference.starts_with('+') ? Paint::green : difference.starts_with('-') ? Paint::red : Paint::plain;
}

// Of one service, each line with its name.
class Report {
  public:
    Report(const Installation& done, VerbId verb, bool dry_run, const Style& style)
        : done_(done), verb_(verb), dry_run_(dry_run), style_(style)
    {
    }

    std::string take()
    {
        text_ = render_changes(done_.name, done_.files, dry_run_, style_);
        if (verb_ == VerbId::install) {
            add_install();
        } else if (verb_ == VerbId::uninstall) {
            add_uninstall();
        } else {
            add_boot();
        }
        return std::move(text_);
    }

  private:
    void line(const std::string& words) { text_ += printable(done_.name, style_.unicode) + ": " + words + "\n"; }
    [[nodiscard]] std::string would() const { return dry_run_ ? "would be " : ""; }

    [[nodiscard]] std::string system() const { return done_.system ? std::string(to_string(*done_.system)) : std::string(); }

    [[nodiscard]] std::string boot_sentence() const
    {
        if (!done_.system)
            return done_.enabled ? "no init system starts it; `steward run --all` does" : "`steward run --all` leaves it out";
        return system() + (done_.enabled ? " starts it at boot" : " does not start it at boot");
    }

    void add_install()
    {
        if (!done_.changed) {
            line("unchanged; " + boot_sentence());
        } else {
            line((dry_run_ ? "would be installed; " : "installed; ") + boot_sentence());
        }
        if (done_.started) line(style_.paint(Paint::green, "started"));
        if (done_.kept_edits && !dry_run_) line("next: steward install --force " + done_.name + " replaces what was edited");
        if (dry_run_ || done_.started || !done_.changed || done_.kept_edits) return;
        line("next: " + next_after_install());
    }

    [[nodiscard]] std::string next_after_install() const
    {
        const bool is_new = std::ranges::none_of(done_.files, [](const FileChange& file) {
            return file.kind == FileChange::Kind::updated || file.kind == FileChange::Kind::unchanged;
        });
        return std::string("steward ") + (is_new ? "start " : "restart ") + done_.name;
    }

    void add_uninstall()
    {
        if (!done_.installed) return line("was not installed");
        line(would() + "uninstalled");
    }

    void add_boot()
    {
        const std::string state = verb_ == VerbId::enable ? "enabled" : "disabled";
        line((done_.changed ? would() + state : "was " + state + " already") + "; " + boot_sentence());
    }

    const Installation& done_;
    VerbId verb_;
    bool dry_run_;
    const Style& style_;
    std::string text_;
};

}  // namespace

std::string render_changes(const std::string& name, const std::vector<FileChange>& files, bool dry_run, const Style& style)
{
    std::string text;
    for (const FileChange& file : files) {
        if (file.kind == FileChange::Kind::unchanged) continue;
        const bool kept = file.kind == FileChange::Kind::kept;
        const std::string path = printable(file.path, style.unicode);
        const std::string differs = file.difference.empty() ? "" : "; what the service file makes of it differs:";
        text += printable(name, style.unicode) + ": ";
        text += kept ? style.paint(Paint::yellow, "kept") + " " + path + ", which was edited" + differs
                     : (dry_run ? "would be " : "") + std::string(to_string(file.kind)) + " " + path;
        text += "\n";
        for (const std::string& difference : file.difference)
            text += "    " + style.paint(paint_of(difference), printable(difference, style.unicode)) + "\n";
    }
    return text;
}

std::string render_installation(const Installation& done, VerbId verb, bool dry_run, const Style& style)
{
    return Report(done, verb, dry_run, style).take();
}

}  // namespace steward::cli

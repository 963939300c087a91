// Brings a service file and its overrides together: later files win, key by key; then the keys are held against each other.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <steward/service_spec.hpp>

#include "config/node.hpp"
#include "config/reading.hpp"
#include "config/rules.hpp"
#include "config/source.hpp"

namespace steward::config {

// Where a key was written last.
struct Origin {
    Source* source = nullptr;
    Place place;
};
using Origins = std::map<std::string, Origin>;  // by path: "restart.delay"

// Of a key of the socket at `place` of spec.sockets: "socket.1.listen" for the first.
[[nodiscard]] std::string socket_path(std::size_t place, std::string_view key);

// To writing a key where what the others say leaves it nothing to do.
[[nodiscard]] Objection object_to_effect(const ServiceSpec& spec, std::string_view path);

class Resolver {
  public:
    // `instance` is set for a template.
    Resolver(ServiceSpec spec, std::optional<std::string> instance) : spec_(std::move(spec)), instance_(std::move(instance)) {}

    // The service file first, then its overrides in order. `source` must outlive this.
    void apply(Source& source, const Node& root);
    // Once all are applied: what no key alone can tell, and the defaults that follow from other keys.
    void conclude(Source& service_file);

    [[nodiscard]] const ServiceSpec& spec() const { return spec_; }
    [[nodiscard]] const Origins& origins() const { return origins_; }

  private:
    void apply_member(Source& source, const std::string& prefix, const Member& member);
    void apply_table(Source& source, const std::string& table, const Node& content);
    bool chooses_one(Source& source, const Node& content, const std::string& table, std::span<const std::string_view> ways);
    void leave_files(const Node& content);
    void apply_sockets(Source& source, const Member& member);
    void fault(const std::string& path, const std::string& message);
    [[nodiscard]] bool is_written(const std::string& path) const { return origins_.contains(path); }

    void require_command(Source& service_file);
    void check_unsupervised();
    void check_type();
    void check_notify();
    void check_effect();
    void check_restart();
    void check_log();
    void check_capabilities();
    void check_sockets();
    void check_socket(std::size_t place);

    ServiceSpec spec_;
    std::optional<std::string> instance_;
    Origins origins_;
    Place service_table_;
    std::vector<Origin> socket_tables_;  // of spec_.sockets
    bool misplaced_command_ = false;
};

}  // namespace steward::config

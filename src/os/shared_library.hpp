// A library that only some verbs need: loaded when one of them does, so that the others start without it.
#pragma once

#include <string>

#include <steward/result.hpp>

namespace steward::os {

class SharedLibrary {
  public:
    // By its name, "libsystemd.so.0". It stays loaded until the process ends. unsupported: there is none.
    static Result<SharedLibrary> load(const std::string& name);

    // Sets `function` to what the library calls `name`; false, and null, where it has no such function.
    template <class Function>
    bool find(const char* name, Function*& function) const
    {
        function = reinterpret_cast<Function*>(symbol(name));
        return function != nullptr;
    }

  private:
    [[nodiscard]] void* symbol(const char* name) const;
    void* handle_ = nullptr;
};

}  // namespace steward::os

#include "os/shared_library.hpp"

#include <dlfcn.h>

namespace steward::os {

Result<SharedLibrary> SharedLibrary::load(const std::string& name)
{
    SharedLibrary library;
    library.handle_ = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (library.handle_ == nullptr) {
        const char* reason = ::dlerror();
        return fail(Error{.code = ErrorCode::unsupported,
                          .operation = "load",
                          .object = name,
                          .cause = reason == nullptr ? "it cannot be loaded" : reason});
    }
    return library;
}

void* SharedLibrary::symbol(const char* name) const
{
    return ::dlsym(handle_, name);
}

}  // namespace steward::os

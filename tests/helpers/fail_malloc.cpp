// Preloaded into a program: there is no memory for it as long as the file exists that STEWARD_NO_MEMORY names.
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

extern "C" void* __libc_malloc(std::size_t size);

namespace {

const char* file = std::getenv("STEWARD_NO_MEMORY");

}  // namespace

extern "C" __attribute__((visibility("default"))) void* malloc(std::size_t size)
{
    const int before = errno;
    if (file != nullptr && access(file, F_OK) == 0) {
        errno = ENOMEM;
        return nullptr;
    }
    errno = before;
    return __libc_malloc(size);
}

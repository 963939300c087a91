// A service of many processes: fork_tree WIDTH DEPTH FILE makes WIDTH children, each of them as many, DEPTH levels down. Each appends its PID
// to FILE and stays.
#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

int main(int argc, char** argv)
{
    if (argc < 4) return 2;
    const int width = std::atoi(argv[1]);
    const int file = open(argv[3], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    for (int level = std::atoi(argv[2]), child = 0; level > 0 && child < width;) {
        const bool is_child = fork() == 0;
        level -= is_child ? 1 : 0;
        child = is_child ? 0 : child + 1;
    }
    const std::string line = std::to_string(getpid()) + "\n";
    if (write(file, line.data(), line.size()) < 0) return 1;
    for (;;) pause();
}

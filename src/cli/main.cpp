#include "cli/command_line.hpp"

int main(int argc, char** argv)
{
    const int first = argc > 0 ? 1 : 0;  // an empty argv is possible: execve(2)
    return steward::cli::run_command_line({argv + first, argv + argc}, stdout, stderr);
}

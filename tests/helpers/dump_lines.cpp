// Writes much: dump_lines COUNT [TEXT] prints "1 TEXT" to "COUNT TEXT" and ends.
#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv)
{
    const long count = argc > 1 ? std::atol(argv[1]) : 1;
    for (long line = 1; line <= count; ++line) std::printf("%ld %s\n", line, argc > 2 ? argv[2] : "line");
}

// A daemon that does nothing, with every signal at its default.
#include <unistd.h>

int main()
{
    for (;;) pause();
}

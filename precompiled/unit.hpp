// What nearly every unit test includes, read by the compiler once a folder: half of the time that one takes to compile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "standard.hpp"

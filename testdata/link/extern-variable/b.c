#include "../common.h"

int shared = 42;
int other[5] = {1, 2};
LICENSE;

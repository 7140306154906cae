#include "../common.h"

struct box {
  int a;
} shared = {3};
LICENSE;

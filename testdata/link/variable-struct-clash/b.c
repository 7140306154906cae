#include "../common.h"

struct box {
  int a;
  int c;
} shared = {3};
LICENSE;

#include "../common.h"

struct pair {
  int a, b;
};
char pad;
struct pair shared;

#include "../common.h"

int tuned SEC(".data.tuning") = 5;
int more SEC(".data.tuning") = 6;

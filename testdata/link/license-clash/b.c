#include "../common.h"

SEC("socket") int two(void *ctx)
{
  return 2;
}
char LICENSE_NAME[] SEC("license") = "MIT";

#include "../common.h"

struct node;
struct list {
  struct node *head;
  int length;
};
struct list lists[2];
SEC("socket") int one(void *ctx)
{
  return lists[0].length;
}
LICENSE;

#include "../common.h"

struct node {
  struct node *next;
  int value;
};
struct list {
  struct node *head;
  int length;
};
struct list other;
struct node *spare;
SEC("socket") int two(void *ctx)
{
  return other.length + (spare == 0);
}
LICENSE;

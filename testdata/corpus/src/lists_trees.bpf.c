/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of the program's own: allocation, linked lists, red-black trees, reference counts. */
#include "kfuncs.h"

extern void *bpf_obj_new_impl(__u64 local_type_id, void *meta) __ksym;
extern void bpf_obj_drop_impl(void *kptr, void *meta) __ksym;
extern void *bpf_refcount_acquire_impl(void *kptr, void *meta) __ksym;
extern int bpf_list_push_front_impl(struct bpf_list_head *head, struct bpf_list_node *node, void *meta, __u64 off) __ksym;
extern struct bpf_list_node *bpf_list_pop_front(struct bpf_list_head *head) __ksym;
extern int bpf_rbtree_add_impl(struct bpf_rb_root *root, struct bpf_rb_node *node,
			       _Bool(less)(struct bpf_rb_node *a, const struct bpf_rb_node *b), void *meta, __u64 off) __ksym;
extern struct bpf_rb_node *bpf_rbtree_remove(struct bpf_rb_root *root, struct bpf_rb_node *node) __ksym;
extern struct bpf_rb_node *bpf_rbtree_first(struct bpf_rb_root *root) __ksym;

#define NEW(type) ((type *)bpf_obj_new_impl(__builtin_btf_type_id(*(type *)0, 0), 0))
#define DROP(p) bpf_obj_drop_impl(p, 0)
#define CONTAINS(type, field) __attribute__((btf_decl_tag("contains:" #type ":" #field)))
#define OF(p, type, field) ((type *)((char *)(p) - __builtin_offsetof(type, field)))
#define PRIVATE(name) SEC(".data." #name) __attribute__((visibility("hidden"), aligned(8)))

struct item {
	long value;
	struct bpf_list_node link;
};

struct leaf {
	long key;
	struct bpf_rb_node node;
	struct bpf_refcount refs;
};

PRIVATE(A) struct bpf_spin_lock list_lock;
PRIVATE(A) struct bpf_list_head list CONTAINS(item, link);
PRIVATE(B) struct bpf_spin_lock tree_lock;
PRIVATE(B) struct bpf_rb_root tree CONTAINS(leaf, node);

static _Bool less(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return OF(a, struct leaf, node)->key < OF(b, struct leaf, node)->key;
}

SEC("tc")
int new_and_drop(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	i->value = skb->len;
	DROP(i);
	return 0;
}

SEC("tc")
int new_and_lose(struct __sk_buff *skb)
{
	NEW(struct item);
	return 0;
}

SEC("tc")
int new_not_checked(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	i->value = 1;
	DROP(i);
	return 0;
}

SEC("tc")
int dropped_and_used(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	DROP(i);
	return i->value;
}

SEC("tc")
int writes_list_node(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	*(volatile __u64 *)&i->link = 0;
	DROP(i);
	return 0;
}

SEC("tc")
int push_and_pop(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);
	struct bpf_list_node *n;

	if (!i)
		return 0;
	bpf_spin_lock(&list_lock);
	bpf_list_push_front_impl(&list, &i->link, 0, 0);
	n = bpf_list_pop_front(&list);
	bpf_spin_unlock(&list_lock);
	if (!n)
		return 0;
	DROP(OF(n, struct item, link));
	return 0;
}

SEC("tc")
int push_without_lock(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	bpf_list_push_front_impl(&list, &i->link, 0, 0);
	return 0;
}

SEC("tc")
int push_with_other_lock(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_list_push_front_impl(&list, &i->link, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("tc")
int used_after_push(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item);

	if (!i)
		return 0;
	bpf_spin_lock(&list_lock);
	bpf_list_push_front_impl(&list, &i->link, 0, 0);
	bpf_spin_unlock(&list_lock);
	i->value = 3;
	return 0;
}

SEC("tc")
int popped_and_lost(struct __sk_buff *skb)
{
	bpf_spin_lock(&list_lock);
	bpf_list_pop_front(&list);
	bpf_spin_unlock(&list_lock);
	return 0;
}

SEC("tc")
int tree_add(struct __sk_buff *skb)
{
	struct leaf *l = NEW(struct leaf);

	if (!l)
		return 0;
	l->key = skb->mark;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &l->node, less, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

SEC("tc")
int tree_take_first(struct __sk_buff *skb)
{
	struct bpf_rb_node *n;
	struct leaf *l;
	long key;

	bpf_spin_lock(&tree_lock);
	n = bpf_rbtree_first(&tree);
	if (!n) {
		bpf_spin_unlock(&tree_lock);
		return 0;
	}
	n = bpf_rbtree_remove(&tree, n);
	bpf_spin_unlock(&tree_lock);
	if (!n)
		return 0;
	l = OF(n, struct leaf, node);
	key = l->key;
	DROP(l);
	return key & 1;
}

SEC("tc")
int tree_first_after_unlock(struct __sk_buff *skb)
{
	struct bpf_rb_node *n;

	bpf_spin_lock(&tree_lock);
	n = bpf_rbtree_first(&tree);
	bpf_spin_unlock(&tree_lock);
	return n ? OF(n, struct leaf, node)->key : 0;
}

SEC("tc")
int shared_by_refcount(struct __sk_buff *skb)
{
	struct leaf *l = NEW(struct leaf), *other;

	if (!l)
		return 0;
	other = bpf_refcount_acquire_impl(l, 0);
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &l->node, less, 0, 0);
	bpf_spin_unlock(&tree_lock);
	other->key = 5;
	DROP(other);
	return 0;
}

SEC("tc")
int refcount_of_none(struct __sk_buff *skb)
{
	struct item *i = NEW(struct item), *other;

	if (!i)
		return 0;
	other = bpf_refcount_acquire_impl(i, 0);
	DROP(i);
	DROP(other);
	return 0;
}

static _Bool calls_helper(struct bpf_rb_node *a, const struct bpf_rb_node *b)
{
	return bpf_get_prandom_u32() & 1;
}

SEC("tc")
int comparison_removes(struct __sk_buff *skb)
{
	struct leaf *l = NEW(struct leaf);

	if (!l)
		return 0;
	bpf_spin_lock(&tree_lock);
	bpf_rbtree_add_impl(&tree, &l->node, calls_helper, 0, 0);
	bpf_spin_unlock(&tree_lock);
	return 0;
}

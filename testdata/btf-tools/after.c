enum e { A = 1, B = 3, NEW = 9 }; typedef long num; struct in { int x; int y; };
struct s { int a; short b; int added; union { int u1; long u2; }; struct { int q; int r; } nest[2]; unsigned f1:3, f2:6; num n; struct in i; };
struct fresh { int z; }; struct s S; enum e E; struct fresh G; int fn(struct s *p, int k) { return p->a; }

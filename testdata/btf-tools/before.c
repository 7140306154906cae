enum e { A = 1, B = 2, OLD = 5 }; typedef int num; struct in { int x; };
struct s { int a; char b; union { int u1; long u2; }; struct { int q; } nest[2]; unsigned f1:3, f2:5; num n; struct in i; };
struct gone { int z; }; struct s S; enum e E; struct gone G; int fn(struct s *p) { return p->a; }

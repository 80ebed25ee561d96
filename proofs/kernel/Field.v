(** Ordered fields, and the little about them that the rules need.

    Everything is proved for points with coordinates in any ordered field: the rationals, the real numbers, ... A field
    is given as a record of operations and laws, so that no axiom is used, whichever field a reader has in mind. *)

From Coq Require Import ZArith List Lia Ring Setoid.
From Coq Require Import InitialRing.
Import ListNotations.

Record field := {
  F :> Type;
  zero : F; one : F;
  add : F -> F -> F; mul : F -> F -> F; sub : F -> F -> F; opp : F -> F; inv : F -> F;
  le : F -> F -> Prop;
  relu : F -> F;
  laws : ring_theory zero one add mul sub opp eq;
  inv_mul : forall a, a <> zero -> mul (inv a) a = one;
  distinct : zero <> one;
  le_refl : forall a, le a a;
  le_antisym : forall a b, le a b -> le b a -> a = b;
  le_trans : forall a b c, le a b -> le b c -> le a c;
  le_total : forall a b, le a b \/ le b a;
  le_add : forall a b c, le a b -> le (add a c) (add b c);
  le_mul : forall a b, le zero a -> le zero b -> le zero (mul a b);
  relu_pos : forall a, le zero a -> relu a = a;   (* relu a = max(a, 0) *)
  relu_neg : forall a, le a zero -> relu a = zero }.

Arguments zero {_}. Arguments one {_}. Arguments add {_}. Arguments mul {_}. Arguments sub {_}. Arguments opp {_}.
Arguments inv {_}. Arguments le {_}. Arguments relu {_}.

Declare Scope field_scope.
Delimit Scope field_scope with F.
Bind Scope field_scope with F.
Infix "+" := add : field_scope.
Infix "*" := mul : field_scope.
Infix "-" := sub : field_scope.
Notation "- a" := (opp a) : field_scope.
Infix "<=" := le : field_scope.
Notation "0" := zero : field_scope.
Notation "1" := one : field_scope.

(** Integers as elements of the field. *)
Definition inj {K : field} (z : Z) : K := gen_phiZ zero one add mul opp z.

Section Order.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.
Implicit Types a b c d : K.

(** Linear inequalities are proved by showing the difference of the sides as something nonnegative. *)
Lemma by_diff d a b : 0 <= d -> b = a + d -> a <= b.
Proof. intros H ->. replace a with (0 + a) at 1 by ring. replace (a + d) with (d + a) by ring. now apply le_add. Qed.

Lemma diff a b : a <= b -> 0 <= b - a.
Proof.
  intros H. replace 0 with (a + - a) by ring. replace (b - a) with (b + - a) by ring. now apply le_add.
Qed.

Lemma nonneg_add a b : 0 <= a -> 0 <= b -> 0 <= a + b.
Proof. intros. apply le_trans with b; trivial. apply by_diff with a; trivial. ring. Qed.

Lemma le_plus a b c d : a <= b -> c <= d -> a + c <= b + d.
Proof.
  intros H I. apply by_diff with ((b - a) + (d - c)); [apply nonneg_add; now apply diff | ring].
Qed.

Lemma le_times a b c : 0 <= c -> a <= b -> c * a <= c * b.
Proof. intros H I. apply by_diff with (c * (b - a)); [apply le_mul; trivial; now apply diff | ring]. Qed.

Lemma le_opp a b : a <= b -> - b <= - a.
Proof. intros H. apply by_diff with (b - a); [now apply diff | ring]. Qed.

Lemma nonneg_opp a : a <= 0 -> 0 <= - a.
Proof. intros H. replace 0 with (- 0 : K) by ring. now apply le_opp. Qed.

Lemma opp_nonneg a : 0 <= - a -> a <= 0.
Proof. intros H. apply by_diff with (- a); trivial. ring. Qed.

Lemma opp_opp a : - - a = a.
Proof. ring. Qed.

Lemma relu_nonneg a : 0 <= relu a.
Proof.
  destruct (le_total K 0 a) as [H | H]; [now rewrite relu_pos | rewrite relu_neg by trivial; apply le_refl].
Qed.

Lemma zero_le_one : (0 : K) <= 1.
Proof.
  destruct (le_total K 0 1) as [H | H]; trivial.
  apply nonneg_opp in H. replace (1 : K) with (- (1) * - (1) : K) by ring. now apply le_mul.
Qed.

Lemma inj_morph : ring_morph 0 1 add mul sub opp eq 0%Z 1%Z Z.add Z.mul Z.sub Z.opp Zeq_bool (@inj K).
Proof. apply gen_phiZ_morph; [apply Eqsth | apply Eq_ext | apply laws]. Qed.

Lemma inj_0 : inj 0 = 0 :> K.
Proof. apply (morph0 inj_morph). Qed.
Lemma inj_1 : inj 1 = 1 :> K.
Proof. apply (morph1 inj_morph). Qed.
Lemma inj_add x y : inj (x + y) = inj x + inj y :> K.
Proof. apply (morph_add inj_morph). Qed.
Lemma inj_sub x y : inj (x - y) = inj x - inj y :> K.
Proof. apply (morph_sub inj_morph). Qed.
Lemma inj_mul x y : inj (x * y) = inj x * inj y :> K.
Proof. apply (morph_mul inj_morph). Qed.
Lemma inj_opp x : inj (- x) = - inj x :> K.
Proof. apply (morph_opp inj_morph). Qed.
Lemma inj_nonneg x : (0 <= x)%Z -> 0 <= (inj x : K).
Proof.
  intros H. rewrite <- (Z2Nat.id x H). clear H. induction (Z.to_nat x) as [| n I].
  - change (Z.of_nat 0) with 0%Z. rewrite inj_0. apply le_refl.
  - rewrite Nat2Z.inj_succ. unfold Z.succ. rewrite inj_add, inj_1. apply nonneg_add; [trivial | apply zero_le_one].
Qed.
Lemma inj_le x y : (x <= y)%Z -> (inj x : K) <= inj y.
Proof.
  intros H. apply by_diff with (inj (y - x)); [apply inj_nonneg; lia | rewrite inj_sub; ring].
Qed.

Lemma inj_pos_distinct x : (0 < x)%Z -> (inj x : K) <> 0.
Proof.
  intros H E. assert (I : (inj 1 : K) <= inj x) by (apply inj_le; lia).
  rewrite E, inj_1 in I. apply (distinct K). apply le_antisym; [apply zero_le_one | trivial].
Qed.

Lemma inv_inj x : (0 < x)%Z -> inv (inj x) * inj x = 1 :> K.
Proof. intros H. apply inv_mul. now apply inj_pos_distinct. Qed.

Lemma times_inv x a : (0 < x)%Z -> inv (inj x) * (inj x * a) = a.
Proof. intros H. transitivity (inv (inj x) * inj x * a); [ring | rewrite inv_inj by trivial; ring]. Qed.

Lemma inj_eq_cancel (x : Z) a b : (0 < x)%Z -> inj x * a = inj x * b -> a = b.
Proof. intros P E. rewrite <- (times_inv x a P), E. now apply times_inv. Qed.

Lemma le_cancel (x : Z) a b : (0 < x)%Z -> inj x * a <= inj x * b -> a <= b.
Proof.
  intros P H. destruct (le_total K a b) as [I | I]; trivial.
  assert (E : a = b) by (apply inj_eq_cancel with x; trivial; apply le_antisym; trivial;
    apply le_times; trivial; apply inj_nonneg; lia).
  rewrite E. apply le_refl.
Qed.

(** The quotient of two integers. *)
Definition frac (n d : Z) : K := inv (inj d) * inj n.

Lemma frac_mul (n d : Z) : (0 < d)%Z -> inj d * frac n d = inj n.
Proof.
  intros H. unfold frac. transitivity (inv (inj d) * (inj d * inj n) : K); [ring | now apply times_inv].
Qed.

End Order.

#[global] Opaque inj.

(** Integers rounded to multiples: the only rounding there is. *)
Definition up (a b : Z) : Z := (- (- a / b))%Z.
Definition down (a b : Z) : Z := (a / b)%Z.

Lemma up_spec a b : (0 < b)%Z -> (a <= b * up a b)%Z.
Proof. intros H. unfold up. pose proof (Z.mul_div_le (- a) b H). lia. Qed.
Lemma up_less a b : (0 < b)%Z -> (b * (up a b - 1) <= a)%Z.
Proof. intros H. unfold up. pose proof (Z.mul_succ_div_gt (- a) b H). lia. Qed.
Lemma down_spec a b : (0 < b)%Z -> (b * down a b <= a)%Z.
Proof. intros H. now apply Z.mul_div_le. Qed.

(** Points: whether they lie in the set, and the exact values of neurons there. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Sound.
Import ListNotations.

(** A point is given over a denominator; in a set given by generators by weights, over a denominator too. *)
Inductive point := At (d : Z) (x : list Z) | Mean (d : Z) (a b c : list Z).

Fixpoint zdot (c x : list Z) : Z :=
  match c, x with w :: c', a :: x' => (w * a + zdot c' x')%Z | _, _ => 0%Z end.
Fixpoint zbdot (c x : list (list Z)) : Z :=
  match c, x with b :: c', v :: x' => (zdot b v + zbdot c' x')%Z | _, _ => 0%Z end.

(** Values and pre-activations over one denominator. *)
Definition zpre (l : layer) (d : Z) (v : list (list Z)) : list Z :=
  map (fun r => bias r * d + zbdot (blocks r) v)%Z (rows l).
Fixpoint zvalues (net : network) (d : Z) (x : list Z) : Z * list (list Z) :=
  match net with
  | [] => (d, [x])
  | l :: earlier =>
      let '(e, v) := zvalues earlier d x in
      ((e * denominator l)%Z, map (Z.max 0) (zpre l e v) :: bscale (denominator l) v)
  end.
Definition zneuron (net : network) (k i : nat) (d : Z) (x : list Z) : option (Z * Z) :=
  match skipn k net with
  | l :: earlier =>
      let '(e, v) := zvalues earlier d x in
      match nth_error (rows l) i with
      | Some r => Some ((bias r * e + zbdot (blocks r) v)%Z, (e * denominator l)%Z)
      | None => None
      end
  | [] => None
  end.

Fixpoint sides_ok (f : Z -> Z -> bool) (s : list (option Z)) (x : list Z) : bool :=
  match s, x with
  | [], [] => true
  | b :: s', a :: x' => match b with Some c => f c a | None => true end && sides_ok f s' x'
  | _, _ => false
  end.

Fixpoint zcombined (weights : list Z) (vectors : list (list Z)) (j : nat) : Z :=
  match weights, vectors with w :: ws, v :: vs => (w * nth j v 0 + zcombined ws vs j)%Z | _, _ => 0%Z end.

Fixpoint equal (a b : list Z) : bool :=
  match a, b with [], [] => true | x :: a', y :: b' => (x =? y)%Z && equal a' b' | _, _ => false end.

(** The point, if it lies in the set. *)
Definition located (s : domain) (p : point) : option (Z * list Z) :=
  match s, p with
  | Rows o lo hi ineqs eqs, At d x =>
      if ((0 <? d)%Z && sides_ok (fun b a => b * d <=? o * a)%Z lo x && sides_ok (fun b a => o * a <=? b * d)%Z hi x
          && forallb (fun r => 0 <=? fst r * d + zdot (snd r) x)%Z ineqs
          && forallb (fun r => fst r * d + zdot (snd r) x =? 0)%Z eqs)
      then Some (d, x) else None
  | Generated o vs rs ls, Mean d a b c =>
      if ((0 <? d)%Z && Nat.eqb (length a) (length vs) && Nat.eqb (length b) (length rs)
          && Nat.eqb (length c) (length ls) && forallb (Z.leb 0) a && forallb (Z.leb 0) b && (fold_right Z.add 0 a =? d)%Z)
      then Some ((o * d)%Z, map (fun j => zcombined a vs j + o * (zcombined b rs j + zcombined c ls j))%Z
                             (seq 0 (length (hd [] vs))))
      else None
  | Listed o points, At d x =>
      if ((0 <? d)%Z && (d =? o)%Z && existsb (equal x) points && Nat.eqb (length x) (length (hd [] points)))
      then Some (d, x) else None
  | _, _ => None
  end.

Definition domain_ok (s : domain) : bool :=
  match s with Rows o _ _ _ _ => (0 <? o)%Z | Generated o _ _ _ => (0 <? o)%Z | Listed o _ => (0 <? o)%Z end.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.

(** ** Points are evaluated rightly *)

Definition same (d : Z) (n : Z) (a : K) : Prop := inj d * a = inj n.

Lemma same_dot d : forall n x, Forall2 (same d) n x -> forall c, inj d * dot c x = inj (zdot c n).
Proof.
  induction 1 as [| n a ns x H _ I]; intros c; [destruct c; simpl; rewrite inj_0; ring |].
  destruct c as [| w c]; simpl; [rewrite inj_0; ring |]. rewrite inj_add, inj_mul, <- I, <- H. ring.
Qed.

Lemma same_bdot d : forall n x, Forall2 (Forall2 (same d)) n x -> forall c, inj d * bdot c x = inj (zbdot c n).
Proof.
  induction 1 as [| n a ns x H _ I]; intros c; [destruct c; simpl; rewrite inj_0; ring |].
  destruct c as [| w c]; simpl; [rewrite inj_0; ring |]. rewrite inj_add, <- I, <- (same_dot d n a H). ring.
Qed.

Lemma same_scaled d e n (a : K) : same d n a -> same (d * e) (e * n) a.
Proof. unfold same. intros H. rewrite !inj_mul, <- H. ring. Qed.

Lemma same_bscaled d e : forall n x, Forall2 (Forall2 (same d)) n x -> Forall2 (Forall2 (same (d * e))) (bscale e n) x.
Proof.
  intros n x H. unfold bscale. destruct (e =? 1)%Z eqn:E.
  - apply Z.eqb_eq in E; subst. now rewrite Z.mul_1_r.
  - induction H as [| ns a n x H _ I]; simpl; constructor; trivial.
    induction H; simpl; constructor; trivial. now apply same_scaled.
Qed.

Lemma same_row l d n x w : (0 < denominator l)%Z -> Forall2 (Forall2 (same d)) n x ->
  same (d * denominator l) (bias w * d + zbdot (blocks w) n) (inv (inj (denominator l)) * numerator w x : K).
Proof.
  intros P H. unfold same, numerator. rewrite inj_add, !inj_mul, <- (same_bdot d n x H).
  transitivity (inj d * (inv (inj (denominator l)) * (inj (denominator l) * (inj (bias w) + bdot (blocks w) x)))); [ring |].
  rewrite times_inv by trivial. ring.
Qed.

Lemma same_relu d n (a : K) : (0 < d)%Z -> same d n a -> same d (Z.max 0 n) (relu a).
Proof.
  unfold same. intros P H.
  destruct (sign_cases d a P) as [[-> S] | [-> S]]; rewrite H in S.
  - destruct (Z.max_spec 0 n) as [[_ ->] | [Q ->]]; trivial.
    assert (n = 0 \/ n < 0)%Z as [-> | N] by lia; [now rewrite H, inj_0 |]. exfalso.
    apply (inj_pos_distinct (K := K) (- n)); [lia |]. rewrite inj_opp. apply le_antisym.
    + apply opp_nonneg. replace (- - inj n) with (inj n : K) by ring. trivial.
    + rewrite <- inj_opp. apply inj_nonneg. lia.
  - destruct (Z.max_spec 0 n) as [[Q ->] | [Q ->]]; [| rewrite inj_0; ring]. exfalso.
    apply (inj_pos_distinct (K := K) n); trivial. apply le_antisym; trivial. apply inj_nonneg. lia.
Qed.

Fixpoint layers_ok (net : network) : Prop :=
  match net with [] => True | l :: earlier => (0 < denominator l)%Z /\ layers_ok earlier end.

Lemma same_values d n (x : list K) : (0 < d)%Z -> Forall2 (same d) n x -> forall net e v, layers_ok net ->
  zvalues net d n = (e, v) -> (0 < e)%Z /\ Forall2 (Forall2 (same e)) v (values net x).
Proof.
  intros P H. induction net as [| l earlier I]; intros e v O E; simpl in E.
  - inversion E; subst. split; trivial. constructor; [trivial | constructor].
  - destruct O as [Pl O]. destruct (zvalues earlier d n) as [e0 v0]. inversion E; subst e v; clear E.
    destruct (I e0 v0 O eq_refl) as [Pe V]. split; [lia |]. simpl. constructor; [| now apply same_bscaled].
    unfold zpre, pre. rewrite !map_map. induction (rows l) as [| w ws J]; simpl; constructor; trivial.
    apply same_relu; [lia | now apply same_row].
Qed.

Lemma layers_ok_skip : forall net k, layers_ok net -> layers_ok (skipn k net).
Proof. induction net as [| l net I]; intros [| k] O; simpl in *; trivial. now apply I. Qed.

Lemma zneuron_spec net k i d n (x : list K) y e : (0 < d)%Z -> Forall2 (same d) n x -> layers_ok net ->
  zneuron net k i d n = Some (y, e) -> exists a, preactivation net k i x a /\ (0 < e)%Z /\ same e y a.
Proof.
  intros P H O E. unfold zneuron in E. destruct (skipn k net) as [| l earlier] eqn:S; [discriminate |].
  pose proof (layers_ok_skip net k O) as O'. rewrite S in O'. destruct O' as [Pl O'].
  destruct (zvalues earlier d n) as [e0 v] eqn:V.
  destruct (same_values d n x P H earlier e0 v O' V) as [Pe HV].
  destruct (nth_error (rows l) i) as [w |] eqn:N; [| discriminate]. inversion E; subst y e; clear E.
  exists (inv (inj (denominator l)) * numerator w (values earlier x)).
  split; [| split; [lia | now apply same_row]].
  exists l, earlier. split; trivial. unfold pre. rewrite nth_error_map, N. reflexivity.
Qed.

Lemma same_frac d : (0 < d)%Z -> forall n, Forall2 (same d) n (map (fun a => frac a d) n : list K).
Proof. intros P. induction n as [| a n I]; simpl; constructor; trivial. unfold same. now apply frac_mul. Qed.

Lemma sides_low (o d : Z) : (0 < d)%Z -> forall s n, sides_ok (fun b a => b * d <=? o * a)%Z s n = true ->
  Forall2 (above_side o) s (map (fun a => frac a d) n : list K).
Proof.
  intros P. induction s as [| b s I]; intros [| a n] E; simpl in E; try discriminate; constructor.
  - apply andb_true_iff in E. destruct E as [E _]. destruct b as [b |]; simpl; trivial. apply Z.leb_le in E.
    apply le_cancel with d; trivial. replace (inj d * (inj o * frac a d)) with (inj o * (inj d * frac a d) : K) by ring.
    rewrite frac_mul by trivial. rewrite <- !inj_mul. apply inj_le. lia.
  - apply I. apply andb_true_iff in E. now destruct E.
Qed.

Lemma sides_high (o d : Z) : (0 < d)%Z -> forall s n, sides_ok (fun b a => o * a <=? b * d)%Z s n = true ->
  Forall2 (below_side o) s (map (fun a => frac a d) n : list K).
Proof.
  intros P. induction s as [| b s I]; intros [| a n] E; simpl in E; try discriminate; constructor.
  - apply andb_true_iff in E. destruct E as [E _]. destruct b as [b |]; simpl; trivial. apply Z.leb_le in E.
    apply le_cancel with d; trivial. replace (inj d * (inj o * frac a d)) with (inj o * (inj d * frac a d) : K) by ring.
    rewrite frac_mul by trivial. rewrite <- !inj_mul. apply inj_le. lia.
  - apply I. apply andb_true_iff in E. now destruct E.
Qed.

Lemma sides_length f : forall s n, sides_ok f s n = true -> length s = length n.
Proof.
  induction s as [| b s I]; intros [| a n] E; simpl in *; try discriminate; trivial. apply andb_true_iff in E.
  destruct E as [_ E]. now rewrite (I n).
Qed.

Lemma combined_frac d ws : (0 < d)%Z -> forall vs j,
  inj d * combined (map (fun a => frac a d) ws) vs j = (inj (zcombined ws vs j) : K).
Proof.
  intros P. induction ws as [| w ws I]; intros [| v vs] j; simpl; try (rewrite inj_0; ring).
  rewrite inj_add, inj_mul, <- I.
  transitivity (inj d * frac w d * inj (nth j v 0%Z) + inj d * combined (map (fun a => frac a d) ws) vs j : K); [ring |].
  now rewrite frac_mul.
Qed.

Lemma frac_nonneg d n : (0 < d)%Z -> (0 <= n)%Z -> 0 <= (frac n d : K).
Proof.
  intros P N. apply le_cancel with d; trivial. rewrite frac_mul by trivial.
  replace (inj d * 0) with (0 : K) by ring. now apply inj_nonneg.
Qed.

Lemma equal_spec : forall a b, equal a b = true -> a = b.
Proof.
  induction a as [| x a I]; intros [| y b] E; simpl in E; try discriminate; trivial.
  apply andb_true_iff in E. destruct E as [E F]. apply Z.eqb_eq in E. subst. f_equal. now apply I.
Qed.

Lemma located_spec s p d n : domain_ok s = true -> located s p = Some (d, n) ->
  (0 < d)%Z /\ member s (map (fun a => frac a d) n : list K).
Proof.
  intros O E. unfold located in E. destruct s as [o lo hi ineqs eqs | o vs rs ls | o points], p as [e x | e a b c]; try discriminate.
  - destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst e x; clear E.
    rewrite !andb_true_iff in B. destruct B as ((((P & Lo) & Hi) & In) & Eq). apply Z.ltb_lt in P.
    split; trivial. split; [simpl; rewrite map_length; symmetry; exact (sides_length _ _ _ Lo) |].
    split; [now apply sides_low |]. split; [now apply sides_high |].
    assert (V : forall r : Z * list Z, inj d * at_row r (map (fun a => frac a d) n) = inj (fst r * d + zdot (snd r) n) :> K).
    { intros r. unfold at_row. rewrite inj_add, inj_mul, <- (same_dot d n _ (same_frac d P n)). ring. }
    split; apply Forall_forall; intros r R.
    + rewrite forallb_forall in In. specialize (In r R). apply Z.leb_le in In.
      apply le_cancel with d; trivial. rewrite V. replace (inj d * 0) with (0 : K) by ring. now apply inj_nonneg.
    + rewrite forallb_forall in Eq. specialize (Eq r R). apply Z.eqb_eq in Eq.
      apply inj_eq_cancel with d; trivial. rewrite V, Eq, inj_0. ring.
  - destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst d n; clear E.
    rewrite !andb_true_iff in B. destruct B as ((((((P & La) & Lb) & Lc) & Na) & Nb) & T). simpl in O.
    apply Z.ltb_lt in P. apply Z.ltb_lt in O. apply Nat.eqb_eq in La, Lb, Lc. apply Z.eqb_eq in T.
    split; [lia |]. split; [simpl; now rewrite !map_length, seq_length |].
    exists (map (fun q => frac q e) a), (map (fun q => frac q e) b), (map (fun q => frac q e) c).
    rewrite !map_length. repeat split; trivial.
    + apply Forall_map, Forall_forall. intros q Q. rewrite forallb_forall in Na. specialize (Na q Q).
      apply Z.leb_le in Na. now apply frac_nonneg.
    + apply inj_eq_cancel with e; trivial. replace (inj e * 1) with (inj e : K) by ring. rewrite <- T at 2.
      clear - P. induction a as [| q a I]; unfold total in *; simpl; [rewrite inj_0; ring |].
      rewrite inj_add, <- I. transitivity (inj e * frac q e + inj e * fold_right add 0 (map (fun u => frac u e) a) : K); [ring |].
      now rewrite frac_mul.
    + apply Forall_map, Forall_forall. intros q Q. rewrite forallb_forall in Nb. specialize (Nb q Q).
      apply Z.leb_le in Nb. now apply frac_nonneg.
    + intros j xj Ej. rewrite map_map, nth_error_map in Ej.
      destruct (nth_error (seq 0 (length (hd [] vs))) j) as [j' |] eqn:J; [| discriminate].
      assert (j' = j) as ->.
      { assert (j < length (seq 0 (length (hd [] vs))))%nat as Lj by (apply nth_error_Some; congruence).
        rewrite seq_length in Lj. apply nth_error_nth with (d := 0%nat) in J. rewrite seq_nth in J by trivial. simpl in J. congruence. }
      simpl in Ej. inversion Ej; subst xj; clear Ej.
      apply inj_eq_cancel with e; trivial.
      transitivity (inj (o * e) * frac (zcombined a vs j + o * (zcombined b rs j + zcombined c ls j)) (o * e) : K).
      { rewrite inj_mul. ring. }
      rewrite frac_mul by lia. rewrite inj_add, inj_mul, inj_add, <- !(combined_frac e _ P). ring.
  - destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst e x; clear E.
    rewrite !andb_true_iff in B. destruct B as (((P & Eo) & In) & L). apply Z.ltb_lt in P. apply Z.eqb_eq in Eo.
    apply Nat.eqb_eq in L. subst o. split; trivial. split; [simpl; now rewrite map_length |].
    apply existsb_exists in In. destruct In as (q & Q & Eq). apply equal_spec in Eq. subst q. exists n.
    split; trivial. now apply same_frac.
Qed.

End Sound.

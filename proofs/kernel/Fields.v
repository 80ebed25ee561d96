(** Two ordered fields: the rationals, and the real numbers of Coq's library. The theorems hold for both, and nothing in
    them depends on this file; only the laws of the real numbers rest on what that library assumes of them. *)

From Coq Require Import QArith Qcanon Rbase Lra.
From Kernel Require Import Field.

Definition larger (a : Qc) : Qc := if Qclt_le_dec a 0 then Q2Qc 0 else a.

Program Definition rationals : field := {|
  F := Qc; zero := Q2Qc 0; one := Q2Qc 1; add := Qcplus; mul := Qcmult; sub := Qcminus; opp := Qcopp; inv := Qcinv;
  le := Qcle; relu := larger; laws := Qcrt |}.
Next Obligation. now apply Qcmult_inv_l. Qed.
Next Obligation. apply Qcle_refl. Qed.
Next Obligation. now apply Qcle_antisym. Qed.
Next Obligation. now apply Qcle_trans with b. Qed.
Next Obligation. destruct (Qclt_le_dec a b) as [H | H]; [left; now apply Qclt_le_weak | now right]. Qed.
Next Obligation. apply Qcplus_le_compat; [trivial | apply Qcle_refl]. Qed.
Next Obligation.
  replace (Q2Qc 0) with (Q2Qc 0 * b)%Qc by ring. now apply Qcmult_le_compat_r.
Qed.
Next Obligation. unfold larger. destruct (Qclt_le_dec a 0) as [G |]; trivial. now apply Qclt_not_le in G. Qed.
Next Obligation.
  unfold larger. destruct (Qclt_le_dec a 0) as [| G]; trivial. now apply Qcle_antisym.
Qed.

Ltac real_law :=
  intros; simpl in *; repeat (match goal with |- context [Rle_lt_dec ?a ?b] => destruct (Rle_lt_dec a b) end);
  solve [lra | now apply Rinv_l | now apply Rmult_le_pos].

Program Definition reals : field := {|
  F := R; zero := 0%R; one := 1%R; add := Rplus; mul := Rmult; sub := Rminus; opp := Ropp; inv := Rinv; le := Rle;
  relu := fun a => if Rle_lt_dec 0 a then a else 0%R; laws := RTheory |}.
Solve Obligations with real_law.

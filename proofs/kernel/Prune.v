(** Pruning: a smaller network that equals the network on the set.

    Each value of the network is written as an affine form of the values of the smaller one, its image. A neuron that is
    kept has the same row there; a removed one is 0, since it is dead, or it is unknown, and then nothing that stays may
    read it; a folded one is its row, since it is active; a merged one is a positive multiple of another of its layer. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Sound Points Check.
Import ListNotations.

Inductive fate := Kept | Removed | Folded | Merged (j : nat) (n d : Z).   (* d times itself is n times neuron j *)

(** [image_over * value = the row], over the values of the smaller network; 0: nothing is known of the value. *)
Record image := { image_over : Z; image_row : row }.

Definition unit (j : nat) : list Z := repeat 0%Z j ++ [1%Z].
Definition nothing : row := {| bias := 0; blocks := [] |}.
Definition unknown : image := {| image_over := 0; image_row := nothing |}.
Definition variable (j : nat) : image := {| image_over := 1; image_row := {| bias := 0; blocks := [unit j] |} |}.
Definition shifted (i : image) : image :=
  {| image_over := image_over i; image_row := {| bias := bias (image_row i); blocks := [] :: blocks (image_row i) |} |}.

(** [p * a = q * b] for rows. *)
Definition same_rows (p : Z) (a : row) (q : Z) (b : row) : bool :=
  (p * bias a =? q * bias b)%Z
  && forallb (forallb (Z.eqb 0)) (bplus_times p (blocks a) (bscale (- q) (blocks b))).

(** A row with the images put in, times d. *)
Fixpoint compose_block (d : Z) (w : list Z) (t : list image) (acc : row) : option row :=
  match w, t with
  | c :: w', i :: t' =>
      if (c =? 0)%Z then compose_block d w' t' acc
      else let f := (d / image_over i)%Z in
           if ((0 <? image_over i) && (f * image_over i =? d))%Z
           then compose_block d w' t' {| bias := bias acc + c * f * bias (image_row i);
                                         blocks := bplus_times (c * f) (blocks (image_row i)) (blocks acc) |}
           else None
  | _, _ => Some acc
  end.
Fixpoint compose_blocks (d : Z) (w : list (list Z)) (t : list (list image)) (acc : row) : option row :=
  match w, t with
  | b :: w', i :: t' => match compose_block d b i acc with Some a => compose_blocks d w' t' a | None => None end
  | _, _ => Some acc
  end.
Definition compose (d : Z) (r : row) (t : list (list image)) : option row :=
  compose_blocks d (blocks r) t {| bias := d * bias r; blocks := [] |}.
Definition common (t : list (list image)) : Z :=
  fold_left (fun a is => fold_left (fun b i => if (image_over i <=? 1)%Z then b else Z.lcm b (image_over i)) is a) t 1%Z.

(** Images of the neurons of a layer that are not merged. [kept]: the rows of the smaller layer (over [e']) that are
    left, from number c on; [new]: is there such a layer? *)
Fixpoint images_of (l : layer) (d e' : Z) (t : list (list image)) (dead active : nat -> bool) (new : bool)
  (i c : nat) (fs : list fate) (rs kept : list row) : option (list (option image)) :=
  match fs, rs with
  | [], [] => match kept with [] => Some [] | _ => None end
  | f :: fs', r :: rs' =>
      let go found c kept :=
        match images_of l d e' t dead active new (S i) c fs' rs' kept with Some os => Some (found :: os) | None => None end in
      match f with
      | Merged _ _ _ => go None c kept
      | Removed => go (Some (if dead i then {| image_over := 1; image_row := nothing |} else unknown)) c kept
      | Folded =>
          if active i then
            match compose d r t with
            | Some a => let im := {| image_over := d * denominator l; image_row := a |} in
                        go (Some (if new then shifted im else im)) c kept
            | None => None
            end
          else None
      | Kept =>
          match kept, compose d r t with
          | r' :: kept', Some a => if same_rows e' a (d * denominator l) r' then go (Some (variable c)) (S c) kept' else None
          | _, _ => None
          end
      end
  | _, _ => None
  end.

Fixpoint merge_all (all : list (option image)) (others : list row) (os : list (option image)) (fs : list fate) (rs : list row)
  : option (list image) :=
  match os, fs, rs with
  | [], [], [] => Some []
  | o :: os', f :: fs', r :: rs' =>
      match merge_all all others os' fs' rs' with
      | None => None
      | Some found =>
          match o, f with
          | Some im, _ => Some (im :: found)
          | None, Merged j n d =>
              match nth_error all j, nth_error others j with
              | Some (Some im), Some r' =>
                  if ((0 <? n) && (0 <? d))%Z && same_rows d r n r' then
                    Some ({| image_over := image_over im * d;
                             image_row := {| bias := n * bias (image_row im); blocks := bscale n (blocks (image_row im)) |} |}
                          :: found)
                  else None
              | _, _ => None
              end
          | None, _ => None
          end
      end
  | _, _, _ => None
  end.

Definition is_kept (f : fate) : bool := match f with Kept => true | _ => false end.

(** Images of all values. [inputs]: how many there are; [k]: how many layers come after. *)
Fixpoint images (inputs : nat) (dead active : nat -> nat -> bool) (k : nat) (net small : network) (fates : list (list fate))
  : option (list (list image)) :=
  match net, fates with
  | [], [] => match small with [] => Some [map variable (seq 0 inputs)] | _ => None end
  | l :: earlier, fs :: fates' =>
      let new := existsb is_kept fs in
      match (if new then match small with l' :: s => Some (Some l', s) | [] => None end else Some (None, small)) with
      | Some (l', before) =>
          match images inputs dead active (S k) earlier before fates' with
          | Some t =>
              let d := common t in
              let '(e', kept) := match l' with Some m => (denominator m, rows m) | None => (1%Z, []) end in
              if ((0 <? d) && (0 <? e') && (0 <? denominator l))%Z then
                match images_of l d e' t (dead k) (active k) new 0 0 fs (rows l) kept with
                | Some os =>
                    match merge_all os (rows l) os fs (rows l) with
                    | Some found => Some (found :: if new then map (map shifted) t else t)
                    | None => None
                    end
                | None => None
                end
              else None
          | None => None
          end
      | None => None
      end
  | _, _ => None
  end.

(** The maps after the last ReLU layers are the same. *)
Fixpoint same_outputs (e e' d : Z) (t : list (list image)) (rs rs' : list row) : bool :=
  match rs, rs' with
  | [], [] => true
  | r :: q, r' :: q' =>
      match compose d r t with Some a => same_rows e' a (d * e) r' | None => false end && same_outputs e e' d t q q'
  | _, _ => false
  end.

Definition shows (sign : bool) (cs : list (statement * evidence)) (k i : nat) : bool :=
  existsb (fun c => match fst c with
                    | Below k' i' sign' n d => Nat.eqb k k' && Nat.eqb i i' && Bool.eqb sign sign' && ((n <=? 0) && (0 <? d))%Z
                    | _ => false
                    end) cs.

Definition same_function (net small : network) (last last' : layer) (inputs : nat) (cs : list (statement * evidence))
  (fates : list (list fate)) : bool :=
  match images inputs (shows true cs) (shows false cs) 0 net small fates with
  | Some t =>
      let d := common t in
      ((0 <? d) && (0 <? denominator last) && (0 <? denominator last'))%Z
      && same_outputs (denominator last) (denominator last') d t (rows last) (rows last')
  | None => false
  end.

Definition check_pruning (net small : network) (last last' : layer) (s : domain) (c : certificate) (fates : list (list fate))
  : bool :=
  check net s c && same_function net small last last' (dimension s) (claims c) fates.

Lemma skip_next {A} : forall (l : list A) i r rs, skipn i l = r :: rs -> nth_error l i = Some r /\ skipn (S i) l = rs.
Proof.
  induction l as [| a l I]; intros [| i] r rs E; simpl in E; try discriminate; [inversion E; now split | now apply I].
Qed.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.
Implicit Types (vs : list (list K)) (v : K).

Definition right vs (i : image) v : Prop := (0 < image_over i)%Z -> inj (image_over i) * v = numerator (image_row i) vs.

Lemma zeros_dot (x : list K) : forall c, forallb (Z.eqb 0) c = true -> dot c x = 0.
Proof.
  induction x as [| a x I]; intros c H; [apply dot_nil_r |]. destruct c as [| w c]; [reflexivity |].
  cbn [forallb dot] in *. apply andb_true_iff in H. destruct H as [W H]. apply Z.eqb_eq in W. subst.
  rewrite (I c H), inj_0. ring.
Qed.

Lemma zeros_bdot vs : forall c, forallb (forallb (Z.eqb 0)) c = true -> bdot c vs = 0.
Proof.
  induction vs as [| a x I]; intros c H; [apply bdot_nil_r |]. destruct c as [| w c]; [reflexivity |]. simpl in *.
  apply andb_true_iff in H. destruct H as [W H]. rewrite (I c H), (zeros_dot a w W). ring.
Qed.

Lemma same_rows_spec p a q b vs : same_rows p a q b = true -> inj p * numerator a vs = inj q * numerator b vs.
Proof.
  intros H. apply andb_true_iff in H. destruct H as [E H]. apply Z.eqb_eq in E.
  apply (zeros_bdot vs) in H. rewrite bdot_plus_times, bdot_scale, inj_opp in H. unfold numerator.
  assert (E' : inj p * inj (bias a) = inj q * inj (bias b) :> K) by (rewrite <- !inj_mul; now rewrite E).
  transitivity (inj p * inj (bias a) + (inj p * bdot (blocks a) vs + - inj q * bdot (blocks b) vs) + inj q * bdot (blocks b) vs);
    [ring |]. rewrite H, E'. ring.
Qed.

Lemma compose_block_spec d vs : forall t x, Forall2 (right vs) t x -> forall w acc r, compose_block d w t acc = Some r ->
  numerator r vs = numerator acc vs + inj d * dot w x.
Proof.
  induction 1 as [| i v t x R _ I]; intros w acc r E.
  - rewrite dot_nil_r. destruct w; simpl in E; inversion E; subst; ring.
  - destruct w as [| c w]; simpl in E; [inversion E; subst; simpl; ring |]. simpl dot.
    destruct (c =? 0)%Z eqn:C.
    + apply Z.eqb_eq in C. subst. rewrite (I _ _ _ E), inj_0. ring.
    + set (f := (d / image_over i)%Z) in *. destruct (_ && _)%bool eqn:F in E; [| discriminate].
      apply andb_true_iff in F. destruct F as [P F]. apply Z.ltb_lt in P. apply Z.eqb_eq in F. rewrite (I _ _ _ E).
      assert (D : inj d = inj f * inj (image_over i) :> K) by (rewrite <- inj_mul; now rewrite F).
      assert (A : numerator {| bias := bias acc + c * f * bias (image_row i);
                               blocks := bplus_times (c * f) (blocks (image_row i)) (blocks acc) |} vs
                  = numerator acc vs + inj c * inj f * numerator (image_row i) vs).
      { unfold numerator. simpl. rewrite bdot_plus_times, inj_add, !inj_mul. ring. }
      rewrite A, <- (R P), D. ring.
Qed.

Lemma compose_blocks_spec d vs : forall t x, Forall2 (Forall2 (right vs)) t x -> forall w acc r,
  compose_blocks d w t acc = Some r -> numerator r vs = numerator acc vs + inj d * bdot w x.
Proof.
  induction 1 as [| i v t x H _ I]; intros w acc r E.
  - rewrite bdot_nil_r. destruct w; simpl in E; inversion E; subst; ring.
  - destruct w as [| c w]; simpl in E; [inversion E; subst; simpl; ring |]. simpl bdot.
    destruct (compose_block d c i acc) as [a |] eqn:A; [| discriminate].
    rewrite (I _ _ _ E), (compose_block_spec d vs _ _ H _ _ _ A). ring.
Qed.

Lemma compose_spec d vs t x r a : Forall2 (Forall2 (right vs)) t x -> compose d r t = Some a ->
  numerator a vs = inj d * numerator r x.
Proof.
  intros H E. unfold compose in E. rewrite (compose_blocks_spec d vs t x H _ _ _ E). unfold numerator. simpl.
  rewrite inj_mul. ring.
Qed.

Lemma shifted_right vs w i v : right vs i v -> right (w :: vs) (shifted i) v.
Proof. intros R P. simpl in *. rewrite (R P). unfold numerator. simpl. ring. Qed.

Lemma unit_dot : forall j (x : list K) v, nth_error x j = Some v -> dot (unit j) x = v.
Proof.
  induction j as [| j I]; intros [| a x] v E; simpl in E; try discriminate.
  - inversion E; subst. simpl. rewrite inj_1. ring.
  - unfold unit in *. simpl. rewrite (I x v E), inj_0. ring.
Qed.

Lemma variable_right w vs j v : nth_error w j = Some v -> right (w :: vs) (variable j) v.
Proof.
  intros E _. unfold numerator. simpl. rewrite (unit_dot j w v E), inj_1, inj_0. ring.
Qed.

(** What is true of a neuron that is claimed dead or active. *)
Context (x : list K) (full : network) (dead active : nat -> nat -> bool).
Context (Dead : forall k i a, dead k i = true -> preactivation full k i x a -> a <= 0).
Context (Active : forall k i a, active k i = true -> preactivation full k i x a -> 0 <= a).

Definition value_of (l : layer) (before : list (list K)) (r : row) : K := inv (inj (denominator l)) * numerator r before.

Lemma value_times l before r : (0 < denominator l)%Z -> inj (denominator l) * value_of l before r = numerator r before.
Proof.
  intros P. unfold value_of. transitivity (inv (inj (denominator l)) * (inj (denominator l) * numerator r before)); [ring |].
  now apply times_inv.
Qed.

Definition right_if vs (o : option image) v : Prop := match o with Some i => right vs i v | None => True end.

(** The neurons of a layer. Kept: its row, with the images put in, is the row of the smaller layer, so both outputs are the
    same. Removed: z <= 0 on the set, so its output is 0; or nothing is said of it. Folded: z >= 0, so its output is z. *)
Lemma images_of_spec l earlier k d e' t (l' : option layer) before' : skipn k full = l :: earlier ->
  (0 < denominator l)%Z -> (0 < d)%Z -> (0 < e')%Z ->
  match l' with Some m => denominator m = e' | None => True end ->
  Forall2 (Forall2 (right before')) t (values earlier x) ->
  let after := match l' with Some m => map relu (pre m before') :: before' | None => before' end in
  let new := match l' with Some _ => true | None => false end in
  let all := match l' with Some m => rows m | None => [] end in
  forall fs rs i c kept os, skipn i (rows l) = rs -> skipn c all = kept ->
  images_of l d e' t (dead k) (active k) new i c fs rs kept = Some os ->
  Forall2 (right_if after) os (map relu (map (value_of l (values earlier x)) rs)).
Proof.
  intros Sk Pl Pd Pe El T after new all. induction fs as [| f fs I]; intros rs i c kept os Si Sc E; destruct rs as [| r rs];
    simpl in E; try discriminate.
  { destruct kept; [| discriminate]. inversion E. constructor. }
  destruct (skip_next _ _ _ _ Si) as [N Si'].
  assert (Z : preactivation full k i x (value_of l (values earlier x) r)).
  { exists l, earlier. split; trivial. unfold pre. now rewrite nth_error_map, N. }
  assert (Go : forall found c' kept', skipn c' all = kept' ->
    match images_of l d e' t (dead k) (active k) new (S i) c' fs rs kept' with Some os => Some (found :: os) | None => None end = Some os ->
    right_if after found (relu (value_of l (values earlier x) r)) ->
    Forall2 (right_if after) os (map relu (map (value_of l (values earlier x)) (r :: rs)))).
  { intros found c' kept' Sc' G R. destruct (images_of _ _ _ _ _ _ _ _ _ _ _ _) as [os' |] eqn:Q in G; [| discriminate].
    inversion G; subst os. simpl. constructor; trivial. exact (I rs (S i) c' kept' os' Si' Sc' Q). }
  destruct f as [| | | j n m].
  - destruct kept as [| r' kept']; [discriminate |]. destruct (compose d r t) as [a |] eqn:C; [| discriminate].
    destruct (same_rows e' a (d * denominator l) r') eqn:S; [| discriminate].
    destruct (skip_next _ _ _ _ Sc) as [N' Sc'].
    apply (Go (Some (variable c)) (Datatypes.S c) kept'); trivial.
    unfold after, all in *. destruct l' as [m |]; [| now destruct c]. simpl.
    apply variable_right. unfold pre. rewrite map_map, nth_error_map, N'.
    simpl. f_equal. f_equal. apply (same_rows_spec _ _ _ _ before') in S.
    rewrite (compose_spec d before' t _ r a T C), <- (value_times l _ r Pl) in S. rewrite El.
    apply inj_eq_cancel with (e' * (d * denominator l))%Z; [nia |].
    transitivity (inj (d * denominator l) * (inv (inj e') * (inj e' * numerator r' before'))); [rewrite !inj_mul; ring |].
    rewrite times_inv by trivial. rewrite <- S, !inj_mul. ring.
  - apply (Go _ c kept Sc E). simpl. destruct (dead k i) eqn:D; [intros _ | intros P; simpl in P; lia].
    rewrite (relu_neg K _ (Dead k i _ D Z)). unfold numerator. simpl. rewrite inj_0, inj_1. ring.
  - destruct (active k i) eqn:A; [| discriminate]. destruct (compose d r t) as [a |] eqn:C; [| discriminate].
    apply (Go _ c kept Sc E). rewrite (relu_pos K _ (Active k i _ A Z)).
    assert (R : right before' {| image_over := d * denominator l; image_row := a |} (value_of l (values earlier x) r)).
    { intros _. simpl. rewrite (compose_spec d before' t _ r a T C), <- (value_times l _ r Pl), inj_mul. ring. }
    unfold after, new. destruct l' as [m |]; simpl; [now apply shifted_right | exact R].
  - apply (Go None c kept Sc E). exact Logic.I.
Qed.

(** Merged: d z = n z' with n, d > 0, and so d max(z, 0) = n max(z', 0). *)
Lemma merge_all_spec l before after (all : list (option image)) others : (0 < denominator l)%Z ->
  Forall2 (right_if after) all (map relu (map (value_of l before) others)) ->
  forall os fs rs found, Forall2 (right_if after) os (map relu (map (value_of l before) rs)) ->
  merge_all all others os fs rs = Some found -> Forall2 (right after) found (map relu (map (value_of l before) rs)).
Proof.
  intros Pl All. induction os as [| o os I]; intros fs rs found H E; destruct fs as [| f fs], rs as [| r rs]; simpl in E;
    try discriminate; [inversion E; constructor |].
  destruct (merge_all all others os fs rs) as [rest |] eqn:M; [| discriminate].
  simpl in H. inversion H as [| o' y os' ys R H']; subst. specialize (I _ _ _ H' M).
  destruct o as [im |]; [inversion E; subst; simpl; now constructor |].
  destruct f as [| | | j n d]; try discriminate.
  destruct (nth_error all j) as [[im |] |] eqn:Nj; try discriminate.
  destruct (nth_error others j) as [r' |] eqn:Nr; [| discriminate].
  destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst found; clear E.
  rewrite !andb_true_iff, !Z.ltb_lt in B. destruct B as ((Pn & Pd) & S).
  simpl. constructor; trivial.
  assert (Rj : right after im (relu (value_of l before r'))).
  { clear - All Nj Nr. revert others All j Nj Nr. induction all as [| o all J]; intros others All j Nj Nr; [now destruct j |].
    destruct others as [| q others]; [now destruct j |]. simpl in All. inversion All; subst.
    destruct j as [| j]; simpl in *; [inversion Nj; inversion Nr; subst; trivial | now apply (J others H4 j)]. }
  apply (same_rows_spec _ _ _ _ before) in S.
  assert (V : inj d * value_of l before r = inj n * value_of l before r').
  { apply inj_eq_cancel with (denominator l); trivial.
    transitivity (inj d * (inj (denominator l) * value_of l before r)); [ring |].
    transitivity (inj n * (inj (denominator l) * value_of l before r')); [| ring].
    now rewrite !value_times. }
  assert (W : inj d * relu (value_of l before r) = inj n * relu (value_of l before r')).
  { pose proof (sign_cases d (value_of l before r) Pd) as A. pose proof (sign_cases n (value_of l before r') Pn) as B.
    rewrite V in A. destruct A as [[-> A] | [-> A]], B as [[-> B] | [-> B]]; trivial.
    - rewrite V. transitivity (0 : K); [now apply le_antisym | ring].
    - transitivity (0 : K); [ring |]. now apply le_antisym.
    - ring. }
  intros P. simpl in P. specialize (Rj ltac:(nia)). simpl. unfold numerator. simpl. rewrite bdot_scale, !inj_mul.
  transitivity (inj (image_over im) * (inj d * relu (value_of l before r))); [ring |]. rewrite W.
  transitivity (inj n * (inj (image_over im) * relu (value_of l before r'))); [ring |]. rewrite Rj. unfold numerator. ring.
Qed.

Lemma variables_right : forall (q : list K), Forall2 (right [q]) (map variable (seq 0 (length q))) q.
Proof.
  intros q. assert (G : forall n (p : list K), (forall j v, nth_error p j = Some v -> nth_error q (n + j) = Some v) ->
    Forall2 (right [q]) (map variable (seq n (length p))) p).
  { intros n p. revert n. induction p as [| a p I]; intros n H; [constructor |]. simpl. constructor.
    - apply variable_right. specialize (H O a eq_refl). now rewrite Nat.add_0_r in H.
    - apply I. intros j v E. replace (S n + j)%nat with (n + S j)%nat by lia. now apply H. }
  apply (G O q). trivial.
Qed.

Lemma images_spec : forall net k small fates t, skipn k full = net ->
  images (length x) dead active k net small fates = Some t ->
  Forall2 (Forall2 (right (values small x))) t (values net x).
Proof.
  induction net as [| l earlier I]; intros k small fates t Sk E; destruct fates as [| fs fates]; simpl in E; try discriminate.
  { destruct small; [| discriminate]. inversion E; subst. constructor; [apply variables_right | constructor]. }
  destruct (skip_next _ _ _ _ Sk) as [_ Sk'].
  assert (Main : forall (l' : option layer) before, existsb is_kept fs = match l' with Some _ => true | None => false end ->
    small = match l' with Some m => m :: before | None => before end ->
    match images (length x) dead active (S k) earlier before fates with
    | Some t =>
        let d := common t in
        let '(e', kept) := match l' with Some m => (denominator m, rows m) | None => (1%Z, []) end in
        if ((0 <? d) && (0 <? e') && (0 <? denominator l))%Z then
          match images_of l d e' t (dead k) (active k) (existsb is_kept fs) 0 0 fs (rows l) kept with
          | Some os =>
              match merge_all os (rows l) os fs (rows l) with
              | Some found => Some (found :: if existsb is_kept fs then map (map shifted) t else t)
              | None => None
              end
          | None => None
          end
        else None
    | None => None
    end = Some t -> Forall2 (Forall2 (right (values small x))) t (values (l :: earlier) x)).
  { intros l' before New Small G. rewrite New in G.
    destruct (images (length x) dead active (S k) earlier before fates) as [t0 |] eqn:T; [| discriminate].
    specialize (I (S k) before fates t0 Sk' T). cbv zeta in G.
    set (e' := match l' with Some m => denominator m | None => 1%Z end).
    set (kept := match l' with Some m => rows m | None => [] end).
    replace (match l' with Some m => (denominator m, rows m) | None => (1%Z, []) end) with (e', kept) in G
      by (unfold e', kept; now destruct l').
    destruct (_ && _)%bool eqn:B in G; [| discriminate].
    rewrite !andb_true_iff, !Z.ltb_lt in B. destruct B as ((Pd & Pe) & Pl).
    destruct (images_of _ _ _ _ _ _ _ _ _ _ _ _) as [os |] eqn:O in G; [| discriminate].
    destruct (merge_all _ _ _ _ _) as [found |] eqn:M in G; [| discriminate]. inversion G; subst t; clear G.
    pose proof (images_of_spec l earlier k (common t0) e' t0 l' (values before x) Sk Pl Pd Pe) as H.
    assert (El : match l' with Some m => denominator m = e' | None => True end) by (unfold e'; now destruct l').
    specialize (H El I fs (rows l) 0%nat 0%nat kept os eq_refl eq_refl O).
    assert (H' := merge_all_spec l (values earlier x) _ os (rows l) Pl H os fs (rows l) found H M).
    assert (After : match l' with Some m => map relu (pre m (values before x)) :: values before x | None => values before x end
                    = values small x) by (subst small; now destruct l').
    rewrite After in H'. cbn [values]. constructor; [exact H' |]. subst small.
    destruct l' as [m |]; [| exact I]. cbn [values]. clear - I.
    induction I as [| a b t q H _ J]; simpl; constructor; trivial.
    induction H; simpl; constructor; trivial. now apply shifted_right. }
  destruct (existsb is_kept fs) eqn:New.
  - destruct small as [| m before]; [discriminate |]. now apply (Main (Some m) before).
  - now apply (Main None small).
Qed.

Lemma same_outputs_spec last last' d t vs before : (0 < denominator last)%Z -> (0 < denominator last')%Z -> (0 < d)%Z ->
  Forall2 (Forall2 (right vs)) t before -> forall rs rs',
  same_outputs (denominator last) (denominator last') d t rs rs' = true ->
  map (value_of last before) rs = map (value_of last' vs) rs'.
Proof.
  intros Pl Pl' Pd T. induction rs as [| r rs I]; intros [| r' rs'] E; simpl in E; try discriminate; trivial.
  apply andb_true_iff in E. destruct E as [S E]. simpl. f_equal; [| now apply I].
  destruct (compose d r t) as [a |] eqn:C; [| discriminate]. apply (same_rows_spec _ _ _ _ vs) in S.
  rewrite (compose_spec d vs t before r a T C), <- (value_times last before r Pl), <- (value_times last' vs r' Pl') in S.
  apply inj_eq_cancel with (denominator last' * (d * denominator last))%Z; [nia |].
  rewrite !inj_mul in *.
  transitivity (inj (denominator last') * (inj d * (inj (denominator last) * value_of last before r))); [ring |].
  rewrite S. ring.
Qed.
End Sound.

(** The smaller network equals the network on the set. *)
Theorem pruning_sound net small last last' s c fates : check_pruning net small last last' s c fates = true ->
  forall (K : field) (x : list K), member s x -> pre last (values net x) = pre last' (values small x).
Proof.
  intros E K x M. unfold check_pruning in E. apply andb_true_iff in E. destruct E as [E F].
  pose proof (check_sound net s c E K) as Claims. unfold same_function in F.
  destruct (images _ _ _ _ _ _ _) as [t |] eqn:T in F; [| discriminate]. cbv zeta in F.
  rewrite !andb_true_iff, !Z.ltb_lt in F. destruct F as (((Pd & Pl) & Pl') & F).
  assert (Shown : forall sign k i a, shows sign (claims c) k i = true -> preactivation net k i x a ->
    le (if sign then a else opp a) zero).
  { intros sign k i a H Z. apply existsb_exists in H. destruct H as ((st & e) & I & H). simpl in H.
    destruct st as [k' i' sign' n d | | |]; try discriminate.
    rewrite !andb_true_iff in H. destruct H as (((Ek & Ei) & Es) & (N & D)).
    apply Nat.eqb_eq in Ek, Ei. apply Bool.eqb_prop in Es. apply Z.leb_le in N. apply Z.ltb_lt in D. subst k' i' sign'.
    pose proof (Claims _ e I x a M Z) as B. simpl in B.
    apply le_cancel with d; trivial. eapply le_trans; [exact B |].
    apply le_trans with (inj 0 : K); [now apply inj_le |]. rewrite inj_0.
    apply le_eq. symmetry. transitivity (mul (inj d) (inj 0) : K); [now rewrite inj_0 |].
    rewrite <- inj_mul, Z.mul_0_r. apply inj_0. }
  assert (L : length x = dimension s) by apply M. rewrite <- L in T.
  apply (images_spec x net (shows true (claims c)) (shows false (claims c))) in T; trivial.
  - exact (same_outputs_spec last last' _ t _ _ Pl Pl' Pd T _ _ F).
  - intros k i a H Z. exact (Shown true k i a H Z).
  - intros k i a H Z. pose proof (Shown false k i a H Z) as B. simpl in B.
    apply nonneg_opp in B. now rewrite opp_opp in B.
Qed.

Print Assumptions pruning_sound.

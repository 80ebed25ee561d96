(** An upper bound of a neuron taken back through all layers to the inputs. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms.
Import ListNotations.

(** Rows with rounded entries, for a layer that reads only the layer before it: over [fine],
    [w' - 1 <= fine * w / denominator <= w']. *)
Record rounded := { fine : Z; width : nat; fine_rows : list row }.

Definition only_block (r : row) : option (list Z) :=
  match blocks r with [] => Some [] | [w] => Some w | _ => None end.

Fixpoint round_rows (e d : Z) (n : nat) (rs : list row) : option (list row) :=
  match rs with
  | [] => Some []
  | r :: rs' =>
      match only_block r, round_rows e d n rs' with
      | Some w, Some found =>
          if (length w <=? n)%nat
          then Some ({| bias := up (e * bias r) d; blocks := [map (fun x => up (e * x) d) w] |} :: found)
          else None
      | _, _ => None
      end
  end.

(** What is known and chosen of a layer. *)
Record stage := { exact : layer; approx : option rounded; over : Z; knowns : list known; how : choice }.

Definition is_nil (a : list Z) : bool := match a with [] => true | _ => false end.

(** [m d z <= m * blocks.values + k + (t at the corners)]. *)
Record form := { d_ : Z; m_ : Z; k_ : Z; t_ : list Z; bl_ : list (list Z) }.

Definition exact_step (l : layer) (q d m k : Z) (t rs : list Z) (rest : list (list Z)) : form :=
  let '(b, acc) := gather rs (rows l) 0 [] in
  let e := denominator l in
  {| d_ := q * d * e; m_ := m; k_ := e * k + m * b; t_ := scale e t; bl_ := bplus (bscale (q * e) rest) acc |}.

Definition rounded_step (a : rounded) (q d m k : Z) (t rs : list Z) : option form :=
  let '(b, acc) := gather rs (fine_rows a) 0 [] in
  let more := lack rs in
  match tl acc with
  | [] => Some {| d_ := q * d; m_ := m; k_ := k + up (m * (b + more)) (fine a); t_ := t;
                  bl_ := [map (fun c => up c (fine a)) (plus (repeat more (width a)) (hd [] acc))] |}
  | _ => None
  end.

Definition step (s : stage) (f : form) : option form :=
  let c := hd [] (bl_ f) in
  let rest := tl (bl_ f) in
  if is_nil c && is_nil (extra (how s)) then Some {| d_ := d_ f; m_ := m_ f; k_ := k_ f; t_ := t_ f; bl_ := rest |}
  else
  let q := factor (how s) in
  let common := if (m_ f =? over s)%Z then m_ f else Z.lcm (m_ f) (over s) in
  let f1 := if (m_ f =? common)%Z then 1%Z else (common / m_ f)%Z in
  let f2 := if (over s =? common)%Z then 1%Z else (common / over s)%Z in
  if ((0 <? f1) && (0 <? f2) && (f1 * m_ f =? f2 * over s) && (0 <? q))%Z then
    match sweep (d_ f) (how s) c (above (how s)) (below (how s)) (extra (how s)) (knowns s) 0 [] with
    | None => None
    | Some (rs, h, tc) =>
        let m := (f1 * m_ f)%Z in
        let k := (q * f1 * k_ f + f2 * h)%Z in
        let t := plus (scale (q * f1) (t_ f)) (scale f2 tc) in
        match approx s with
        | Some a => if forallb is_nil rest then rounded_step a q (d_ f) m k t rs else None
        | None => Some (exact_step (exact s) q (d_ f) m k t rs rest)
        end
    end
  else None.

Fixpoint back (ss : list stage) (f : form) : option form :=
  match ss with
  | [] => Some f
  | s :: ss' => match step s f with Some g => back ss' g | None => None end
  end.

Definition net_of (ss : list stage) : network := map exact ss.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.

(** Rounded entries are near the exact ones: w' - 1 <= w <= w' in units. Since the values v before are not negative,
    w'.v + b' is an upper bound of the row and w'.v + b' - (1 + the sum of v) a lower one. *)
Definition near (a : rounded) (v : list K) (r : row) (y : K) : Prop :=
  exists w, blocks r = [w] /\
  inj (fine a) * y <= inj (bias r) + dot w v /\
  inj (bias r) + dot w v - (1 + dot (repeat 1%Z (width a)) v) <= inj (fine a) * y.

Lemma ones_nonneg (v : list K) : Forall (le 0) v -> forall n, 0 <= dot (repeat 1%Z n) v.
Proof.
  induction 1 as [| a v A _ I]; intros n; [rewrite dot_nil_r; apply le_refl |].
  destruct n; simpl; [apply le_refl |]. apply nonneg_add; [| apply I].
  rewrite inj_1. replace (1 * a) with a by ring. trivial.
Qed.

Lemma rounded_dot (e d : Z) (v : list K) : (0 < d)%Z -> Forall (le 0) v -> forall w n, (length w <= n)%nat ->
  inj e * dot w v <= inj d * dot (map (fun x => up (e * x) d) w) v /\
  inj d * (dot (map (fun x => up (e * x) d) w) v - dot (repeat 1%Z n) v) <= inj e * dot w v.
Proof.
  intros P. induction 1 as [| a v A W I]; intros w n L.
  - rewrite !dot_nil_r. split; apply by_diff with 0; try apply le_refl; ring.
  - destruct w as [| x w].
    + simpl map. split; [simpl; apply by_diff with 0; [apply le_refl | ring] |].
      apply by_diff with (inj d * dot (repeat 1%Z n) (a :: v)); [| simpl; ring].
      apply le_mul; [apply inj_nonneg; lia | apply ones_nonneg; now constructor].
    + destruct n as [| n]; simpl in L; [lia |]. destruct (I w n) as [I1 I2]; [lia |]. simpl.
      pose proof (up_spec (e * x) d P) as U. pose proof (up_less (e * x) d P) as V.
      split.
      * apply by_diff with (inj (d * up (e * x) d - e * x) * a + (inj d * dot (map (fun x => up (e * x) d) w) v - inj e * dot w v)).
        { apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | now apply diff]. }
        rewrite inj_sub, !inj_mul. ring.
      * apply by_diff with (inj (e * x - d * (up (e * x) d - 1)) * a + (inj e * dot w v
          - inj d * (dot (map (fun x => up (e * x) d) w) v - dot (repeat 1%Z n) v))).
        { apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | now apply diff]. }
        rewrite inj_sub, !inj_mul, inj_sub, inj_1. ring.
Qed.

Lemma only_block_spec r w (v : list K) rest : only_block r = Some w -> bdot (blocks r) (v :: rest) = dot w v.
Proof.
  unfold only_block. destruct (blocks r) as [| b [| c bs]]; intros E; inversion E; subst; simpl; [reflexivity | ring].
Qed.

Lemma round_rows_spec (e d : Z) n (v : list K) rest : (0 < e)%Z -> (0 < d)%Z -> Forall (le 0) v -> forall rs found,
  round_rows e d n rs = Some found ->
  Forall2 (near {| fine := e; width := n; fine_rows := found |} v) found
    (map (fun r => inv (inj d) * numerator r (v :: rest)) rs).
Proof.
  intros Pe Pd W. 
  assert (Main : forall fr rs found, round_rows e d n rs = Some found ->
    Forall2 (near {| fine := e; width := n; fine_rows := fr |} v) found
    (map (fun r => inv (inj d) * numerator r (v :: rest)) rs)); [| intros rs found; apply Main].
  intros fr. induction rs as [| r rs I]; intros found E; simpl in E; [inversion E; constructor |].
  destruct (only_block r) as [w |] eqn:O; [| discriminate].
  destruct (round_rows e d n rs) as [found' |]; [| discriminate].
  destruct (length w <=? n)%nat eqn:L; [| discriminate]. apply Nat.leb_le in L.
  inversion E; subst; clear E. simpl. constructor; [| now apply I].
  exists (map (fun x => up (e * x) d) w). simpl. split; [reflexivity |].
  unfold numerator. rewrite (only_block_spec r w) by trivial.
  destruct (rounded_dot e d v Pd W w n L) as [A B].
  pose proof (up_spec (e * bias r) d Pd) as U. pose proof (up_less (e * bias r) d Pd) as V.
  assert (C : inj d * (inj e * (inv (inj d) * (inj (bias r) + dot w v))) = inj (e * bias r) + inj e * dot w v).
  { transitivity (inj e * (inv (inj d) * (inj d * (inj (bias r) + dot w v)))); [ring |].
    rewrite times_inv by trivial. rewrite inj_mul. ring. }
  split; apply le_cancel with d; trivial; rewrite C.
  - apply by_diff with (inj (d * up (e * bias r) d - e * bias r)
      + (inj d * dot (map (fun x => up (e * x) d) w) v - inj e * dot w v)).
    { apply nonneg_add; [apply inj_nonneg; lia | now apply diff]. }
    rewrite inj_sub, !inj_mul. ring.
  - apply by_diff with (inj (e * bias r - d * (up (e * bias r) d - 1))
      + (inj e * dot w v - inj d * (dot (map (fun x => up (e * x) d) w) v - dot (repeat 1%Z n) v))).
    { apply nonneg_add; [apply inj_nonneg; lia | now apply diff]. }
    rewrite inj_sub, !inj_mul, inj_sub, inj_1. ring.
Qed.

(** A sum of c_i times rows, with rounded entries. Where c_i > 0 the upper bound of the row is taken, where c_i < 0 the lower
    one: that is the upper one with - c_i added to each coefficient, once for all such i. *)
Lemma gather_near (a : rounded) (v : list K) rest : Forall (le 0) v -> forall rs rws ys, Forall2 (near a v) rws ys ->
  forall b acc b' acc', gather rs rws b acc = (b', acc') ->
  inj (fine a) * dot rs ys + (inj b + bdot acc (v :: rest))
  <= inj b' + bdot acc' (v :: rest) + inj (lack rs) * (1 + dot (repeat 1%Z (width a)) v).
Proof.
  intros W. set (one := 1 + dot (repeat 1%Z (width a)) v).
  assert (One : 0 <= one) by (apply nonneg_add; [apply zero_le_one | now apply ones_nonneg]).
  assert (Lack : forall rs, (0 <= lack rs)%Z) by (induction rs; simpl; lia).
  induction rs as [| c rs I]; intros rws ys H b acc b' acc' E; simpl in E.
  { inversion E; subst. simpl. rewrite inj_0. apply by_diff with 0; [apply le_refl | ring]. }
  destruct H as [| r y rws ys N H].
  { inversion E; subst. apply by_diff with (inj (lack (c :: rs)) * one); [| simpl; ring].
    apply le_mul; trivial. apply inj_nonneg. apply (Lack (c :: rs)). }
  simpl dot. simpl lack. destruct (c =? 0)%Z eqn:C.
  - apply Z.eqb_eq in C; subst. pose proof (I _ _ H _ _ _ _ E) as J. rewrite inj_0.
    replace (lack rs + Z.max 0 (- 0))%Z with (lack rs) by lia.
    eapply le_trans; [| exact J]. apply by_diff with 0; [apply le_refl | ring].
  - pose proof (I _ _ H _ _ _ _ E) as J. destruct N as (w & Bw & N1 & N2). fold one in N2.
    rewrite bdot_plus_times, Bw, inj_add, inj_mul in J. simpl in J.
    rewrite inj_add. apply diff in J.
    destruct (Z.le_ge_cases 0 c) as [S | S].
    + replace (Z.max 0 (- c)) with 0%Z by lia. rewrite inj_0. apply diff in N1.
      eapply by_diff; [apply (nonneg_add _ _ J (le_mul K _ _ (inj_nonneg c S) N1)) |]. ring.
    + replace (Z.max 0 (- c)) with (- c)%Z by lia. apply diff in N2.
      assert (S' : (0 <= - c)%Z) by lia.
      eapply by_diff; [apply (nonneg_add _ _ J (le_mul K _ _ (inj_nonneg (- c) S') N2)) |].
      rewrite inj_opp. ring.
Qed.

(** A coefficient on a value that is not negative may be rounded up. *)
Lemma dot_up (e : Z) (v : list K) : (0 < e)%Z -> Forall (le 0) v -> forall c,
  dot c v <= inj e * dot (map (fun x => up x e) c) v.
Proof.
  intros P. induction 1 as [| a v A W I]; intros c.
  - rewrite !dot_nil_r. apply by_diff with 0; [apply le_refl | ring].
  - destruct c as [| x c]; simpl; [apply by_diff with 0; [apply le_refl | ring] |].
    pose proof (up_spec x e P).
    apply by_diff with (inj (e * up x e - x) * a + (inj e * dot (map (fun x => up x e) c) v - dot c v)).
    { apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | apply diff; apply I]. }
    rewrite inj_sub, inj_mul. ring.
Qed.

Lemma dot_repeat (c : Z) (v : list K) : forall n, dot (repeat c n) v = inj c * dot (repeat 1%Z n) v.
Proof.
  induction v as [| a v I]; intros n; [rewrite !dot_nil_r; ring |]. destruct n; simpl; [ring |].
  rewrite I, inj_1. ring.
Qed.

Lemma bdot_nils (v : list (list K)) : forall b, forallb is_nil b = true -> bdot b v = 0.
Proof.
  induction v as [| a v I]; intros b H; [now rewrite bdot_nil_r |].
  destruct b as [| c b]; [reflexivity |]. simpl in *. apply andb_true_iff in H. destruct H as [N H].
  destruct c; [| discriminate]. rewrite (I b H). simpl. ring.
Qed.

(** What must hold of a stage, given the values before it. *)
Definition stage_holds (p : list K) (s : stage) (before : list (list K)) : Prop :=
  (0 < over s)%Z /\ (0 < denominator (exact s))%Z /\
  Forall2 (holds (over s) p) (knowns s) (pre (exact s) before) /\
  match approx s with
  | None => True
  | Some a => (0 < fine a)%Z /\ exists v rest, before = v :: rest /\ Forall (le 0) v /\
              Forall2 (near a v) (fine_rows a) (pre (exact s) before)
  end.

Fixpoint all_hold (p : list K) (ss : list stage) (x : list K) : Prop :=
  match ss with
  | [] => True
  | s :: ss' => stage_holds p s (values (net_of ss') x) /\ all_hold p ss' x
  end.

Definition form_holds (p : list K) (f : form) (vs : list (list K)) (a : K) : Prop :=
  (0 < d_ f)%Z /\ (0 < m_ f)%Z /\
  inj (m_ f) * inj (d_ f) * a <= inj (m_ f) * bdot (bl_ f) vs + inj (k_ f) + dot (t_ f) p.

Lemma gather_exact (l : layer) (before : list (list K)) : (0 < denominator l)%Z -> forall rs b acc, gather rs (rows l) 0 [] = (b, acc) ->
  inj (denominator l) * dot rs (pre l before) = inj b + bdot acc before.
Proof.
  intros P rs b acc E. rewrite (gather_spec before _ _ _ _ _ _ E), inj_0. simpl.
  transitivity (dot rs (map (fun r => numerator r before) (rows l))); [| ring].
  unfold pre. generalize (rows l). clear E. induction rs as [| c rs I]; intros rws; [simpl; ring |].
  destruct rws as [| r rws]; simpl; [ring |]. rewrite <- I.
  set (q := numerator r before). set (e := inj (denominator l)).
  transitivity (inj c * (inv e * (e * q)) + e * dot rs (map (fun r0 => inv e * numerator r0 before) rws)); [ring |].
  unfold e at 1 2. rewrite times_inv by trivial. reflexivity.
Qed.

Lemma bdot_head (b : list (list Z)) (v : list K) vs : bdot b (v :: vs) = dot (hd [] b) v + bdot (tl b) vs.
Proof. destruct b; simpl; [ring | reflexivity]. Qed.

(** One layer: what holds of the form with the outputs of the layer holds of the form that the step makes of it, over the
    values before. First through the ReLUs (R); then y is replaced by its row, which is exact or rounded. *)
Lemma step_spec p s f g before (a : K) : Forall (le 0) p -> stage_holds p s before ->
  form_holds p f (map relu (pre (exact s) before) :: before) a -> step s f = Some g -> form_holds p g before a.
Proof.
  intros W (Po & Pe & Hk & Hn) (Pd & Pm & H) E. unfold step in E. cbv zeta in E.
  rewrite bdot_head in H.
  set (c := hd [] (bl_ f)) in *. set (rest := tl (bl_ f)) in *.
  destruct (is_nil c && is_nil (extra (how s))) eqn:N.
  { apply andb_true_iff in N. destruct N as [N _]. destruct c; [| discriminate]. simpl in H.
    inversion E; subst; clear E. split; [| split]; simpl; trivial.
    eapply le_trans; [exact H |]. apply by_diff with 0; [apply le_refl | ring]. }
  set (q := factor (how s)) in *.
  match type of E with context [sweep] => idtac end.
  set (f1 := if (m_ f =? _)%Z then 1%Z else (_ / m_ f)%Z) in E.
  set (f2 := if (over s =? _)%Z then 1%Z else (_ / over s)%Z) in E.
  clearbody f1 f2.
  destruct (_ && _)%bool eqn:B in E; [| discriminate].
  rewrite !andb_true_iff, !Z.ltb_lt, Z.eqb_eq in B. destruct B as (((P1 & P2) & B) & Pq).
  destruct (sweep _ _ _ _ _ _ _ _ _) as [[[rs h] tc] |] eqn:S in E; [| discriminate].
  apply (sweep_spec (over s) p) with (ys := pre (exact s) before) in S; trivial.
  rewrite inj_0 in S. simpl dot in S. fold q in S.
  set (ys := pre (exact s) before) in *.
  set (m := (f1 * m_ f)%Z) in *.
  assert (Pm' : (0 < m)%Z) by (unfold m; lia).
  set (k := (q * f1 * k_ f + f2 * h)%Z) in *.
  set (t := plus _ _) in E.
  (* what holds after the ReLUs *)
  assert (R : inj m * inj (q * d_ f) * a <= inj m * (dot rs ys + inj q * bdot rest before) + inj k + dot t p).
  { apply diff in H. apply diff in S.
    assert (Q1 : 0 <= (inj (q * f1) : K)) by (apply inj_nonneg; nia).
    assert (Q2 : 0 <= (inj f2 : K)) by (apply inj_nonneg; lia).
    pose proof (nonneg_add _ _ (le_mul K _ _ Q1 H) (le_mul K _ _ Q2 S)) as T.
    eapply by_diff; [exact T |]. unfold m, k, t. rewrite dot_plus, !dot_scale.
    assert (B' : inj f2 * inj (over s) = inj f1 * inj (m_ f) :> K) by (rewrite <- !inj_mul; f_equal; symmetry; exact B).
    rewrite inj_add, !inj_mul.
    transitivity (inj f1 * inj (m_ f) * (inj q * inj (d_ f)) * a +
      (inj q * inj f1 * (inj (m_ f) * (dot c (map relu ys) + bdot rest before) + inj (k_ f) + dot (t_ f) p - inj (m_ f) * inj (d_ f) * a)
       + (inj f2 * inj (over s) * (dot rs ys - inj q * dot c (map relu ys)) + inj f2 * (inj h + dot tc p)))); [| ring].
    rewrite B'. ring. }
  clear H S.
  destruct (approx s) as [fa |].
  - (* rounded *)
    destruct Hn as (Pf & v & before' & Eb & Wv & Near).
    destruct (forallb is_nil rest) eqn:NR; [| discriminate].
    unfold rounded_step in E. destruct (gather rs (fine_rows fa) 0 []) as [b acc] eqn:G.
    destruct (tl acc) eqn:TA; [| discriminate]. inversion E; subst g; clear E.
    pose proof (gather_near fa v before' Wv _ _ _ Near _ _ _ _ G) as J. rewrite inj_0 in J. simpl in J.
    rewrite bdot_head, TA in J. simpl in J.
    rewrite (bdot_nils before rest NR) in R.
    set (A := plus (repeat (lack rs) (width fa)) (hd [] acc)) in *.
    pose proof (dot_up (fine fa) v Pf Wv A) as DA.
    assert (EA : dot A v = inj (lack rs) * dot (repeat 1%Z (width fa)) v + dot (hd [] acc) v).
    { unfold A. rewrite dot_plus, dot_repeat. reflexivity. }
    rewrite EA in DA.
    split; [simpl; nia | split; [simpl; trivial |]]. simpl.
    rewrite Eb. simpl bdot.
    set (U := up (m * (b + lack rs)) (fine fa)).
    pose proof (up_spec (m * (b + lack rs)) (fine fa) Pf) as HU. fold U in HU.
    apply le_cancel with (fine fa); trivial.
    apply diff in R. apply diff in J. apply diff in DA.
    assert (Q1 : 0 <= (inj (fine fa) : K)) by (apply inj_nonneg; lia).
    assert (Q2 : 0 <= (inj m : K)) by (apply inj_nonneg; lia).
    assert (HU' : 0 <= (inj (fine fa * U - m * (b + lack rs)) : K)) by (apply inj_nonneg; lia).
    eapply by_diff.
    + apply (nonneg_add _ _ HU' (nonneg_add _ _ (le_mul K _ _ Q1 R) (le_mul K _ _ Q2 (nonneg_add _ _ J DA)))).
    + rewrite inj_sub, !inj_mul, !inj_add. ring.
  - (* exact *)
    unfold exact_step in E. destruct (gather rs (rows (exact s)) 0 []) as [b acc] eqn:G.
    inversion E; subst g; clear E. pose proof (gather_exact (exact s) before Pe _ _ _ G) as J. fold ys in J.
    split; [simpl; nia | split; [simpl; trivial |]]. simpl.
    rewrite bdot_plus, bdot_scale, dot_scale. apply diff in R.
    assert (Q1 : 0 <= (inj (denominator (exact s)) : K)) by (apply inj_nonneg; lia).
    eapply by_diff; [apply (le_mul K _ _ Q1 R) |].
    rewrite inj_add, !inj_mul.
    transitivity (inj m * (inj q * inj (d_ f) * inj (denominator (exact s))) * a +
     (inj m * (inj (denominator (exact s)) * dot rs ys) + inj (denominator (exact s)) * (inj m * inj q * bdot rest before
       + inj k + dot t p - inj m * (inj q * inj (d_ f)) * a))); [rewrite J; ring | rewrite ?inj_mul; ring].
Qed.

Lemma back_spec p : Forall (le 0) p -> forall ss f g x (a : K), all_hold p ss x ->
  form_holds p f (values (net_of ss) x) a -> back ss f = Some g -> form_holds p g [x] a.
Proof.
  intros W. induction ss as [| s ss I]; intros f g x a H F E; simpl in E.
  - inversion E; subst. exact F.
  - destruct H as [H1 H2]. destruct (step s f) as [f' |] eqn:S; [| discriminate].
    apply (I f' g x a); trivial. apply (step_spec p s f f'); trivial.
Qed.

End Sound.

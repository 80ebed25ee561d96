(** Infinite suprema: along a direction of the recession cone a neuron differs from its growth by a bounded amount. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Sound Points.
Import ListNotations.

(** The growth of a network along a ray is that of the network without biases. *)
Definition homogeneous (net : network) : network :=
  map (fun l => {| denominator := denominator l; rows := map (fun r => {| bias := 0; blocks := blocks r |}) (rows l) |}) net.

(** The direction over a denominator, if the set has it: each point plus a multiple of it is in the set. *)
Definition recedes (s : domain) (r : point) : option (Z * list Z) :=
  match s, r with
  | Rows o lo hi ineqs eqs, At d x =>
      if ((0 <? d)%Z && sides_ok (fun _ a => 0 <=? a)%Z lo x && sides_ok (fun _ a => a <=? 0)%Z hi x
          && forallb (fun r => 0 <=? zdot (snd r) x)%Z ineqs && forallb (fun r => zdot (snd r) x =? 0)%Z eqs)
      then Some (d, x) else None
  | Generated o vs rs ls, Mean d _ b c =>
      if ((0 <? d)%Z && Nat.eqb (length b) (length rs) && Nat.eqb (length c) (length ls) && forallb (Z.leb 0) b)
      then Some (d, map (fun j => zcombined b rs j + zcombined c ls j)%Z (seq 0 (length (hd [] vs)))) else None
  | _, _ => None
  end.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.

Fixpoint along (t : K) (x r : list K) : list K :=
  match x, r with a :: x', b :: r' => (a + t * b) :: along t x' r' | _, _ => [] end.

(** v differs from t g by at most c. *)
Definition near (c t v g : K) : Prop := - c <= v - t * g /\ v - t * g <= c.

Lemma near_more c e t v g : c <= e -> near c t v g -> near e t v g.
Proof.
  intros H [A B]. split; [apply le_trans with (- c); trivial; now apply le_opp | now apply le_trans with c].
Qed.

Lemma relu_near c t v g : 0 <= t -> 0 <= c -> near c t v g -> near c t (relu v) (relu g).
Proof.
  intros T C [A B]. apply diff in A. apply diff in B.
  destruct (le_total K 0 v) as [V | V], (le_total K 0 g) as [G | G];
    rewrite ?(relu_pos K v V), ?(relu_neg K v V), ?(relu_pos K g G), ?(relu_neg K g G).
  - split; eapply by_diff; [exact A | ring | exact B | ring].
  - apply nonneg_opp in G. pose proof (le_mul K _ _ T G) as TG. split.
    + eapply by_diff; [apply (nonneg_add _ _ C V) | ring].
    + eapply by_diff; [apply (nonneg_add _ _ B TG) | ring].
  - apply nonneg_opp in V. pose proof (le_mul K _ _ T G) as TG. split.
    + eapply by_diff; [apply (nonneg_add _ _ A V) | ring].
    + eapply by_diff; [apply (nonneg_add _ _ C TG) | ring].
  - split; eapply by_diff; [exact C | ring | exact C | ring].
Qed.

Fixpoint size (c : list Z) : Z := match c with [] => 0%Z | w :: c' => (Z.abs w + size c')%Z end.
Fixpoint bsize (c : list (list Z)) : Z := match c with [] => 0%Z | b :: c' => (size b + bsize c')%Z end.

Lemma size_nonneg c : (0 <= size c)%Z.
Proof. induction c; simpl; lia. Qed.
Lemma bsize_nonneg c : (0 <= bsize c)%Z.
Proof. induction c as [| b c I]; simpl; [lia | pose proof (size_nonneg b); lia]. Qed.

Lemma near_add c e t v g u h : near c t v g -> near e t u h -> near (c + e) t (v + u) (g + h).
Proof.
  intros [A B] [A' B']. apply diff in A. apply diff in B. apply diff in A'. apply diff in B'.
  split; eapply by_diff; [apply (nonneg_add _ _ A A') | ring | apply (nonneg_add _ _ B B') | ring].
Qed.

Lemma near_zero t : near 0 t 0 0.
Proof. split; apply le_eq; ring. Qed.

Lemma near_times (w : Z) c t v g : near c t v g -> near (inj (Z.abs w) * c) t (inj w * v) (inj w * g).
Proof.
  intros [A B]. apply diff in A. apply diff in B.
  destruct (Z.abs_spec w) as [[W ->] | [W ->]].
  - pose proof (inj_nonneg (K := K) w W) as W'.
    split; eapply by_diff; [apply (le_mul K _ _ W' A) | ring | apply (le_mul K _ _ W' B) | ring].
  - assert (W' : 0 <= (inj (- w) : K)) by (apply inj_nonneg; lia).
    split; eapply by_diff; [apply (le_mul K _ _ W' B) | rewrite inj_opp; ring | apply (le_mul K _ _ W' A) | rewrite inj_opp; ring].
Qed.

Lemma near_dot c t v g : 0 <= c -> Forall2 (near c t) v g -> forall w, near (inj (size w) * c) t (dot w v) (dot w g).
Proof.
  intros C. induction 1 as [| a b v g H _ I]; intros w.
  - rewrite !dot_nil_r. apply near_more with 0; [| apply near_zero]. apply le_mul; trivial. apply inj_nonneg, size_nonneg.
  - destruct w as [| e w]; simpl.
    + apply near_more with 0; [| apply near_zero]. rewrite inj_0. apply le_eq. ring.
    + rewrite inj_add. apply near_more with (inj (Z.abs e) * c + inj (size w) * c); [apply le_eq; ring |].
      apply near_add; [now apply near_times | apply I].
Qed.

Lemma near_bdot c t v g : 0 <= c -> Forall2 (Forall2 (near c t)) v g -> forall w,
  near (inj (bsize w) * c) t (bdot w v) (bdot w g).
Proof.
  intros C. induction 1 as [| a b v g H _ I]; intros w.
  - rewrite !bdot_nil_r. apply near_more with 0; [| apply near_zero]. apply le_mul; trivial. apply inj_nonneg, bsize_nonneg.
  - destruct w as [| e w]; simpl.
    + apply near_more with 0; [| apply near_zero]. rewrite inj_0. apply le_eq. ring.
    + rewrite inj_add. apply near_more with (inj (size e) * c + inj (bsize w) * c); [apply le_eq; ring |].
      apply near_add; [now apply near_dot | apply I].
Qed.

Lemma near_const (b : Z) t : near (inj (Z.abs b)) t (inj b) 0.
Proof.
  split; eapply by_diff.
  - apply (inj_nonneg (K := K) (b + Z.abs b)). lia.
  - rewrite inj_add. ring.
  - apply (inj_nonneg (K := K) (Z.abs b - b)). lia.
  - rewrite inj_sub. ring.
Qed.

Lemma near_scaled e c t v g : 0 <= e -> near c t v g -> near (e * c) t (e * v) (e * g).
Proof.
  intros E [A B]. apply diff in A. apply diff in B.
  split; eapply by_diff; [apply (le_mul K _ _ E A) | ring | apply (le_mul K _ _ E B) | ring].
Qed.

Lemma forall2_more c e t v g : c <= e -> Forall2 (near c t) v g -> Forall2 (near e t) v g.
Proof. intros H. induction 1; constructor; trivial. now apply near_more with c. Qed.

(** A bound of the difference for all neurons of a layer. *)
Definition spread (l : layer) (c : K) (ws : list row) : K :=
  fold_right (fun w s => inv (inj (denominator l)) * (inj (Z.abs (bias w)) + inj (bsize (blocks w)) * c) + s) 0 ws.

Lemma spread_nonneg l c : (0 < denominator l)%Z -> 0 <= c -> forall ws, 0 <= spread l c ws.
Proof.
  intros P C. induction ws as [| w ws I]; simpl; [apply le_refl |]. apply nonneg_add; trivial.
  apply le_mul; [now apply inv_nonneg |]. apply nonneg_add; [apply inj_nonneg; lia |].
  apply le_mul; trivial. apply inj_nonneg, bsize_nonneg.
Qed.

Definition row_value (l : layer) before (w : row) : K := inv (inj (denominator l)) * numerator w before.

Lemma near_rows l c t v g : (0 < denominator l)%Z -> 0 <= c -> 0 <= t -> Forall2 (Forall2 (near c t)) v g -> forall ws,
  Forall2 (near (spread l c ws) t) (map (row_value l v) ws)
    (map (fun w => row_value l g {| bias := 0; blocks := blocks w |}) ws).
Proof.
  intros P C T H. induction ws as [| w ws I]; [constructor |].
  set (e := inv (inj (denominator l)) * (inj (Z.abs (bias w)) + inj (bsize (blocks w)) * c)).
  assert (E : 0 <= e).
  { apply le_mul; [now apply inv_nonneg |]. apply nonneg_add; [apply inj_nonneg; lia |].
    apply le_mul; trivial. apply inj_nonneg, bsize_nonneg. }
  assert (W : near e t (row_value l v w) (row_value l g {| bias := 0; blocks := blocks w |})).
  { apply near_scaled; [now apply inv_nonneg |]. unfold numerator. simpl. rewrite inj_0.
    apply near_add; [apply near_const | now apply near_bdot]. }
  simpl. fold e. constructor.
  - eapply near_more; [| exact W]. apply by_diff with (spread l c ws); [now apply spread_nonneg | ring].
  - eapply forall2_more; [| exact I]. apply by_diff with e; [exact E | ring].
Qed.

Lemma relu_rows c t : 0 <= t -> 0 <= c -> forall v g, Forall2 (near c t) v g -> Forall2 (near c t) (map relu v) (map relu g).
Proof. intros T C. induction 1; simpl; constructor; trivial. now apply relu_near. Qed.

Lemma pre_homogeneous l g : pre {| denominator := denominator l;
    rows := map (fun r => {| bias := 0; blocks := blocks r |}) (rows l) |} g
  = map (fun w => row_value l g {| bias := 0; blocks := blocks w |}) (rows l).
Proof. unfold pre. simpl. now rewrite map_map. Qed.

(** Layer by layer: a row of values that differ by at most c differs by at most c times the sum of its weights and its bias
    (which the growth does not have), and max(y, 0) brings no two numbers further apart. The bound does not depend on
    t. *)
Lemma near_values x r : length x = length r -> forall net, layers_ok net ->
  exists c, 0 <= c /\ forall t, 0 <= t ->
    Forall2 (Forall2 (near c t)) (values net (along t x r)) (values (homogeneous net) r).
Proof.
  intros L. induction net as [| l earlier I]; intros O.
  - assert (B : exists c, 0 <= c /\ forall t, Forall2 (near c t) (along t x r) r).
    { clear O. revert r L. induction x as [| a x I]; intros [| b r] L; try discriminate.
      - exists 0. split; [apply le_refl | constructor].
      - destruct (I r) as (c & C & H); [now inversion L |].
        exists (relu a + relu (- a) + c). split.
        + apply nonneg_add; trivial. apply nonneg_add; apply relu_nonneg.
        + intros t. simpl. constructor.
          * destruct (le_total K 0 a) as [A | A].
            { rewrite (relu_pos K a A), (relu_neg K (- a)) by (apply opp_nonneg; replace (- - a) with a by ring; trivial).
              split; eapply by_diff; [apply (nonneg_add _ _ (nonneg_add _ _ A A) C) | ring | exact C | ring]. }
            { apply nonneg_opp in A. rewrite (relu_pos K (- a) A), (relu_neg K a) by now apply opp_nonneg.
              split; eapply by_diff; [exact C | ring | apply (nonneg_add _ _ (nonneg_add _ _ A A) C) | ring]. }
          * eapply forall2_more; [| apply H].
            apply by_diff with (relu a + relu (- a)); [apply nonneg_add; apply relu_nonneg | ring]. }
    destruct B as (c & C & H). exists c. split; trivial. intros t _. constructor; [apply H | constructor].
  - destruct O as [P O]. destruct (I O) as (c & C & H).
    exists (c + spread l c (rows l)). pose proof (spread_nonneg l c P C (rows l)) as S. split; [now apply nonneg_add |].
    intros t T. specialize (H t T). simpl. constructor.
    + rewrite pre_homogeneous. apply relu_rows; trivial; [now apply nonneg_add |].
      eapply forall2_more; [| apply (near_rows l c t _ _ P C T H)]. apply by_diff with c; trivial. ring.
    + assert (G : c <= c + spread l c (rows l)) by (apply by_diff with (spread l c (rows l)); [trivial | ring]).
      clear - H G. induction H; constructor; trivial. now apply forall2_more with c.
Qed.

(** ** Directions *)

Lemma along_length t : forall x r, length x = length r -> length (along t x r) = length x.
Proof. induction x as [| a x I]; intros [| b r] L; simpl; try discriminate; trivial. rewrite I; [trivial | now inversion L]. Qed.

Lemma dot_along t : forall x r c, length x = length r -> dot c (along t x r) = dot c x + t * dot c r.
Proof.
  induction x as [| a x I]; intros [| b r] c L; try discriminate; simpl; [rewrite !dot_nil_r; ring |].
  destruct c as [| w c]; simpl; [ring |]. rewrite I by now inversion L. ring.
Qed.

Lemma along_low t o d : (0 < o)%Z -> (0 < d)%Z -> 0 <= t -> forall lo n x, Forall2 (above_side o) lo x ->
  sides_ok (fun _ a => 0 <=? a)%Z lo n = true -> Forall2 (above_side o) lo (along t x (map (fun a => frac a d) n)).
Proof.
  intros Po P T lo n x H. revert n. induction H as [| s a lo x H _ I]; intros [| b n] E; simpl in E; try discriminate;
    simpl; constructor.
  - apply andb_true_iff in E. destruct E as [E _]. destruct s as [s |]; simpl in *; trivial. apply Z.leb_le in E.
    eapply le_trans; [exact H |]. apply by_diff with (inj o * (t * frac b d)); [| ring].
    apply le_mul; [apply inj_nonneg; lia | apply le_mul; trivial; now apply frac_nonneg].
  - apply I. apply andb_true_iff in E. now destruct E.
Qed.

Lemma frac_opp d n : (0 < d)%Z -> frac (- n) d = - frac n d :> K.
Proof. intros P. apply inj_eq_cancel with d; trivial. rewrite frac_mul by trivial. rewrite inj_opp, <- (frac_mul n d P). ring. Qed.

Lemma along_high t o d : (0 < o)%Z -> (0 < d)%Z -> 0 <= t -> forall hi n x, Forall2 (below_side o) hi x ->
  sides_ok (fun _ a => a <=? 0)%Z hi n = true -> Forall2 (below_side o) hi (along t x (map (fun a => frac a d) n)).
Proof.
  intros Po P T hi n x H. revert n. induction H as [| s a hi x H _ I]; intros [| b n] E; simpl in E; try discriminate;
    simpl; constructor.
  - apply andb_true_iff in E. destruct E as [E _]. destruct s as [s |]; simpl in *; trivial. apply Z.leb_le in E.
    eapply le_trans; [| exact H]. apply by_diff with (inj o * (t * frac (- b) d)); [| rewrite frac_opp by trivial; ring].
    apply le_mul; [apply inj_nonneg; lia | apply le_mul; trivial; apply frac_nonneg; trivial; lia].
  - apply I. apply andb_true_iff in E. now destruct E.
Qed.

Fixpoint plus_weights (t : K) (a b : list K) : list K :=
  match a, b with u :: a', v :: b' => (u + t * v) :: plus_weights t a' b' | _, _ => [] end.

Lemma plus_weights_length t : forall a b, length a = length b -> length (plus_weights t a b) = length a.
Proof. induction a as [| u a I]; intros [| v b] L; simpl; try discriminate; trivial. rewrite I; [trivial | now inversion L]. Qed.

Lemma combined_plus t : forall a b vs j, length a = length b ->
  combined (plus_weights t a b) vs j = combined a vs j + t * combined b vs j.
Proof.
  induction a as [| u a I]; intros [| v b] vs j L; try discriminate; simpl; [ring |].
  destruct vs as [| w vs]; simpl; [ring |]. rewrite I by now inversion L. ring.
Qed.

Lemma plus_weights_nonneg t : 0 <= t -> forall a b, Forall (le 0) a -> Forall (le 0) b -> Forall (le 0) (plus_weights t a b).
Proof.
  intros T a b H. revert b. induction H as [| u a U _ I]; intros b G; [constructor |].
  destruct G as [| v b V G]; simpl; constructor; [| now apply I]. apply nonneg_add; trivial. now apply le_mul.
Qed.

Lemma nth_along t : forall x r j a, nth_error (along t x r) j = Some a -> exists u v, nth_error x j = Some u /\
  nth_error r j = Some v /\ a = u + t * v.
Proof.
  induction x as [| u x I]; intros [| v r] [| j] a E; simpl in *; try discriminate.
  - inversion E. now exists u, v.
  - now apply I.
Qed.

Lemma recedes_spec s q d n x t : domain_ok s = true -> member s x -> recedes s q = Some (d, n) -> 0 <= t ->
  (0 < d)%Z /\ length x = length n /\ member s (along t x (map (fun a => frac a d) n)).
Proof.
  intros Ok (L & M) E T. unfold recedes in E.
  destruct s as [o lo hi ineqs eqs | o vs rs ls | o points], q as [e r | e a b c]; try discriminate; simpl in Ok;
    apply Z.ltb_lt in Ok.
  - destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst e r; clear E.
    rewrite !andb_true_iff in B. destruct B as ((((P & Lo) & Hi) & In) & Eq). apply Z.ltb_lt in P.
    assert (Len : length x = length n) by (simpl in L; rewrite L; exact (sides_length _ _ _ Lo)).
    split; trivial. split; trivial.
    set (r := map (fun a => frac a d) n : list K).
    assert (Lr : length x = length r) by (unfold r; now rewrite map_length).
    split; [rewrite along_length by trivial; exact L |]. destruct M as (M1 & M2 & M3 & M4).
    assert (V : forall c, inj d * dot c r = inj (zdot c n) :> K) by (intros c; exact (same_dot d n r (same_frac d P n) c)).
    split; [now apply along_low |]. split; [now apply along_high |].
    split; apply Forall_forall; intros w W; unfold at_row; rewrite dot_along by trivial.
    + rewrite Forall_forall in M3. specialize (M3 w W). rewrite forallb_forall in In. specialize (In w W). apply Z.leb_le in In.
      replace (inj (fst w) + (dot (snd w) x + t * dot (snd w) r)) with (at_row w x + t * dot (snd w) r) by (unfold at_row; ring).
      apply nonneg_add; trivial. apply le_mul; trivial. apply le_cancel with d; trivial. rewrite V.
      replace (inj d * 0) with (0 : K) by ring. now apply inj_nonneg.
    + rewrite Forall_forall in M4. specialize (M4 w W). rewrite forallb_forall in Eq. specialize (Eq w W). apply Z.eqb_eq in Eq.
      assert (Zero : dot (snd w) r = 0).
      { apply inj_eq_cancel with d; trivial. rewrite V, Eq, inj_0. ring. }
      rewrite Zero. unfold at_row in M4. rewrite <- M4 at 2. ring.
  - destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst e n; clear E.
    rewrite !andb_true_iff in B. destruct B as (((P & Lb) & Lc) & Nb). apply Z.ltb_lt in P. apply Nat.eqb_eq in Lb, Lc.
    simpl in L. assert (Len : length x = length (seq 0 (length (hd [] vs)))) by now rewrite seq_length.
    split; trivial. split; [now rewrite map_length |].
    split; [rewrite along_length; [exact L | now rewrite !map_length] |].
    destruct M as (wa & wb & wc & La & Lwb & Lwc & Na & Ta & Nwb & H).
    set (fb := map (fun q => frac q d) b : list K). set (fc := map (fun q => frac q d) c : list K).
    assert (Lfb : length wb = length fb) by (unfold fb; rewrite map_length; congruence).
    assert (Lfc : length wc = length fc) by (unfold fc; rewrite map_length; congruence).
    exists wa, (plus_weights t wb fb), (plus_weights t wc fc).
    rewrite !plus_weights_length by trivial. repeat split; trivial.
    + apply plus_weights_nonneg; trivial. apply Forall_map, Forall_forall. intros q Q. rewrite forallb_forall in Nb.
      specialize (Nb q Q). apply Z.leb_le in Nb. now apply frac_nonneg.
    + intros j xj Ej. destruct (nth_along t _ _ _ _ Ej) as (u & v & Eu & Ev & ->).
      specialize (H j u Eu). rewrite map_map, nth_error_map in Ev.
      destruct (nth_error (seq 0 (length (hd [] vs))) j) as [j' |] eqn:J; [| discriminate].
      assert (j' = j) as ->.
      { assert (j < length (seq 0 (length (hd [] vs))))%nat as Lj by (apply nth_error_Some; congruence).
        rewrite seq_length in Lj. apply nth_error_nth with (d := 0%nat) in J. rewrite seq_nth in J by trivial.
        simpl in J. congruence. }
      simpl in Ev. inversion Ev; subst v; clear Ev. rewrite !combined_plus by trivial.
      assert (F : frac (zcombined b rs j + zcombined c ls j) d = combined fb rs j + combined fc ls j :> K).
      { apply inj_eq_cancel with d; trivial. rewrite frac_mul by trivial.
        rewrite inj_add, <- !(combined_frac d _ P). unfold fb, fc. ring. }
      rewrite F. transitivity (inj o * u + inj o * (t * (combined fb rs j + combined fc ls j))); [ring |]. rewrite H. ring.
Qed.

Lemma layers_homogeneous : forall net, layers_ok net -> layers_ok (homogeneous net).
Proof. induction net as [| l net I]; simpl; trivial. intros [P O]. split; [trivial | now apply I]. Qed.

Lemma skip_homogeneous k net : skipn k (homogeneous net) = homogeneous (skipn k net).
Proof. unfold homogeneous. now rewrite skipn_map. Qed.

(** So z(x + t r) >= t * growth - c, which is as large as one likes. *)
Lemma unbounded_spec net s k i (x : list K) q d n y e : layers_ok net -> domain_ok s = true -> member s x ->
  recedes s q = Some (d, n) -> zneuron (homogeneous net) k i d n = Some (y, e) -> (0 < y)%Z ->
  means K net s (Unbounded k i).
Proof.
  intros O D M R Z Y bound.
  assert (T0 : 0 <= (0 : K)) by apply le_refl.
  destruct (recedes_spec s q d n x 0 D M R T0) as (P & Len & _).
  set (r := map (fun a => frac a d) n : list K).
  assert (Lr : length x = length r) by (unfold r; now rewrite map_length).
  destruct (zneuron_spec (homogeneous net) k i d n r y e P (same_frac d P n) (layers_homogeneous net O) Z)
    as (g & (l' & earlier' & S' & G) & Pe & Sg).
  rewrite skip_homogeneous in S'. destruct (skipn k net) as [| l earlier] eqn:S; [discriminate |]. simpl in S'.
  inversion S'; subst l' earlier'; clear S'.
  pose proof (layers_ok_skip net k O) as O'. rewrite S in O'. destruct O' as [Pl O'].
  destruct (near_values x r Lr earlier O') as (c & C & H).
  rewrite pre_homogeneous, nth_error_map in G. destruct (nth_error (rows l) i) as [w |] eqn:W; [| discriminate].
  simpl in G. inversion G; subst g; clear G. set (g := row_value l _ _) in Sg.
  set (b := inv (inj (denominator l)) * (inj (Z.abs (bias w)) + inj (bsize (blocks w)) * c)).
  set (t := relu (bound + b) * frac e y).
  assert (T : 0 <= t) by (apply le_mul; [apply relu_nonneg | apply frac_nonneg; trivial; lia]).
  exists (along t x r), (row_value l (values earlier (along t x r)) w).
  split; [now apply (recedes_spec s q d n x t D M R T) |]. split.
  { exists l, earlier. split; trivial. unfold pre. now rewrite nth_error_map, W. }
  assert (N : near b t (row_value l (values earlier (along t x r)) w) g).
  { apply near_scaled; [now apply inv_nonneg |]. unfold numerator. simpl. rewrite inj_0.
    apply near_add; [apply near_const | apply near_bdot; trivial; now apply H]. }
  destruct N as [N _]. unfold same in Sg.
  assert (TG : t * g = relu (bound + b)).
  { unfold t. apply inj_eq_cancel with y; trivial.
    transitivity (relu (bound + b) * (inj y * frac e y) * g); [ring |]. rewrite frac_mul by trivial.
    transitivity (relu (bound + b) * (inj e * g)); [ring |]. rewrite Sg. ring. }
  assert (B : bound + b <= relu (bound + b)).
  { destruct (le_total K 0 (bound + b)) as [Q | Q]; [rewrite relu_pos by trivial; apply le_refl |].
    rewrite relu_neg by trivial. trivial. }
  rewrite TG in N. apply diff in N. apply diff in B.
  eapply by_diff; [apply (nonneg_add _ _ N B) | ring].
Qed.

End Sound.

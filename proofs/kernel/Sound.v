(** What the kernel accepts of a tree holds. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Back Region.
Import ListNotations.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.
Implicit Types (p x v : list K) (a y : K).

Lemma le_eq a y : a = y -> a <= y.
Proof. intros ->. apply le_refl. Qed.

(** ** Means over the corners *)

Lemma dot_app (l m : list Z) p q : length l = length p -> dot (l ++ m) (p ++ q) = dot l p + dot m q.
Proof.
  revert p. induction l as [| c l I]; intros [| w p] E; try discriminate; simpl; [ring |].
  rewrite I by (now inversion E). ring.
Qed.

Lemma dot_weighted w (l : list Z) : forall p, dot l (map (mul w) p) = w * dot l p.
Proof. induction l as [| c l I]; intros [| u p]; simpl; try ring. rewrite I. ring. Qed.

Lemma total_weighted w p : total (map (mul w) p) = w * total p.
Proof. induction p as [| u p I]; simpl; [ring |]. unfold total in *. simpl. rewrite I. ring. Qed.

Lemma total_app p q : total (p ++ q) = total p + total q.
Proof. induction p as [| u p I]; unfold total in *; simpl; [ring |]. rewrite I. ring. Qed.

Lemma nonneg_weighted w p : 0 <= w -> Forall (le 0) p -> Forall (le 0) (map (mul w) p).
Proof. intros W. induction 1; simpl; constructor; trivial. now apply le_mul. Qed.

Lemma inv_nonneg (n : Z) : (0 < n)%Z -> 0 <= (inv (inj n) : K).
Proof.
  intros P. apply le_cancel with n; trivial.
  replace (inj n * inv (inj n)) with (1 : K); [replace (inj n * 0) with (0 : K) by ring; apply zero_le_one |].
  rewrite <- (inv_inj n P). ring.
Qed.

(** Every affine function at a point of a box is the same mean of its values at the corners. By induction over the inputs:
    if p are weights for all inputs but one, which lies at the share w of its side, then (1 - w) p for the lower side and
    w p for the upper side are weights for all. *)
Lemma corners (o : Z) : forall lo hi x, Forall2 (above_side o) lo x -> Forall2 (below_side o) hi x ->
  exists p, Forall (le 0) p /\ total p = 1 /\ forall c acc l, corner_ends c lo hi acc = Some l ->
    length l = length p /\ inj acc + inj o * dot c x = dot l p.
Proof.
  intros lo hi x H. revert hi. induction H as [| l xj lo x L _ I]; intros hi H.
  - inversion H; subst. exists [1]. split; [constructor; [apply zero_le_one | constructor] |].
    split; [unfold total; simpl; ring |]. intros c acc l E. simpl in E. inversion E; subst.
    split; trivial. rewrite dot_nil_r. simpl. ring.
  - inversion H as [| h xj' hi' x' Hh Hr]; subst.
    assert (Vacuous : (forall c acc, corner_ends c (l :: lo) (h :: hi') acc = None) ->
      exists p, Forall (le 0) p /\ total p = 1 /\ forall c acc l0, corner_ends c (l :: lo) (h :: hi') acc = Some l0 ->
        length l0 = length p /\ inj acc + inj o * dot c (xj :: x) = dot l0 p).
    { intros V. exists [1]. split; [constructor; [apply zero_le_one | constructor] |].
      split; [unfold total; simpl; ring |]. intros c acc l0 E. now rewrite V in E. }
    destruct l as [l |]; [| apply Vacuous; reflexivity].
    destruct h as [h |]; [| apply Vacuous; reflexivity]. clear Vacuous.
    simpl in L, Hh. destruct (I hi' Hr) as (p & P & T & C).
    destruct (l =? h)%Z eqn:E.
    + apply Z.eqb_eq in E. subst h. exists p. split; trivial. split; trivial.
      intros c acc l0 E. cbn [corner_ends] in E. rewrite Z.eqb_refl in E. cbv zeta in E.
      destruct (C _ _ _ E) as [C1 C2]. split; trivial. rewrite <- C2, dot_first, inj_add, inj_mul.
      replace (inj l : K) with (inj o * xj) by (now apply le_antisym). ring.
    + apply Z.eqb_neq in E. assert (LH : (l < h)%Z).
      { destruct (Z.lt_total l h) as [| [| G]]; trivial; try contradiction. exfalso.
        apply (inj_pos_distinct (K := K) (l - h)); [lia |].
        apply le_antisym; [| apply inj_nonneg; lia]. apply opp_nonneg.
        pose proof (le_trans _ _ _ _ L Hh) as M. apply diff in M.
        replace (- inj (l - h)) with (inj h - inj l : K) by (rewrite inj_sub; ring). trivial. }
      assert (Pos : (0 < h - l)%Z) by lia.
      set (w := inv (inj (h - l)) * (inj o * xj - inj l)).
      set (u := inv (inj (h - l)) * (inj h - inj o * xj)).
      assert (UW : u + w = 1).
      { unfold u, w. rewrite <- (inv_inj (h - l) Pos), inj_sub. ring. }
      assert (W : inj (h - l) * w = inj o * xj - inj l).
      { unfold w. rewrite <- (times_inv (h - l) (inj o * xj - inj l) Pos) at 2. ring. }
      exists (map (mul u) p ++ map (mul w) p). split; [| split].
      * apply Forall_app. split; apply nonneg_weighted; trivial; apply le_mul; try (now apply inv_nonneg);
          now apply diff.
      * rewrite total_app, !total_weighted, T. transitivity (u + w); [ring | trivial].
      * intros c acc l0 E0. cbn [corner_ends] in E0. apply Z.eqb_neq in E. rewrite E in E0. cbv zeta in E0.
        destruct (corner_ends (tl c) lo hi' (acc + first c 0%Z * l)) as [l1 |] eqn:E1; [| discriminate].
        destruct (corner_ends (tl c) lo hi' (acc + first c 0%Z * h)) as [l2 |] eqn:E2; [| discriminate].
        inversion E0; subst. destruct (C _ _ _ E1) as [A1 B1]. destruct (C _ _ _ E2) as [A2 B2].
        split; [rewrite !app_length, !map_length; congruence |].
        rewrite dot_app by (now rewrite map_length). rewrite !dot_weighted, <- B1, <- B2, dot_first, !inj_add, !inj_mul.
        replace u with (1 - w) by (rewrite <- UW; ring).
        rewrite inj_sub in W.
        transitivity (inj acc + inj o * dot (tl c) x + inj (first c 0%Z) * (inj l + (inj o * xj - inj l))); [ring |].
        rewrite <- W. ring.
Qed.

Lemma box_end_spec (o : Z) : forall c lo hi x acc t, Forall2 (above_side o) lo x -> Forall2 (below_side o) hi x ->
  box_end c lo hi acc = Some t -> inj acc + inj o * dot c x <= inj t.
Proof.
  induction c as [| w c I]; intros lo hi x acc t L H E; simpl in E.
  - inversion E; subst. simpl. apply le_eq. ring.
  - destruct L as [| l a lo x L Ls]; [inversion E; subst; rewrite dot_nil_r; apply le_eq; ring |].
    inversion H as [| h a' hi' x' Hh Hs]; subst.
    destruct (times w _) as [s |] eqn:T; [| discriminate]. specialize (I _ _ _ _ _ Ls Hs E).
    assert (S : inj w * (inj o * a) <= inj s).
    { destruct (w <? 0)%Z eqn:N.
      - apply Z.ltb_lt in N. apply (times_low w l); [lia | trivial |]. intros b ->. exact L.
      - apply Z.ltb_ge in N. apply (times_high w h); [lia | trivial |]. intros b ->. exact Hh. }
    apply diff in S. apply diff in I. eapply by_diff; [apply (nonneg_add _ _ S I) |]. simpl. rewrite inj_add. ring.
Qed.

Lemma largest_spec (l : list Z) : Forall (fun e => (e <= largest l)%Z) l.
Proof.
  destruct l as [| e l]; [constructor |]. unfold largest. simpl.
  assert (G : forall l e, (e <= fold_left Z.max l e)%Z /\ Forall (fun d => (d <= fold_left Z.max l e)%Z) l).
  { clear. induction l as [| d l I]; intros e; simpl; [split; [lia | constructor] |].
    destruct (I (Z.max e d)) as [A B]. split; [lia |]. constructor; [lia | trivial]. }
  destruct (G l e). now constructor.
Qed.

Lemma dot_le_total (b : Z) p : Forall (le 0) p -> forall l, Forall (fun e => (e <= b)%Z) l -> (length p <= length l)%nat ->
  dot l p <= inj b * total p.
Proof.
  induction 1 as [| w p W _ I]; intros l B L; [rewrite dot_nil_r; unfold total; simpl; apply le_eq; ring |].
  destruct l as [| e l]; simpl in L; [lia |]. inversion B; subst. unfold total in *. simpl.
  apply by_diff with (inj (b - e) * w + (inj b * fold_right add 0 p - dot l p)).
  - apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | apply diff; apply I; trivial; lia].
  - rewrite inj_sub. ring.
Qed.

(** ** Sets given by generators *)

Definition hull (o : Z) (vertices rays lines : list (list Z)) x : Prop :=
  exists a b c : list K,
    length a = length vertices /\ length b = length rays /\ length c = length lines /\
    Forall (le 0) a /\ total a = 1 /\ Forall (le 0) b /\
    forall j xj, nth_error x j = Some xj ->
      inj o * xj = combined a vertices j + inj o * (combined b rays j + combined c lines j).

Fixpoint weighted (ws : list K) (vs : list (list Z)) (c : list Z) (j : nat) : K :=
  match ws, vs with w :: ws', v :: vs' => w * inj (at_generator j c v) + weighted ws' vs' c j | _, _ => 0 end.

Lemma weighted_nil ws : forall vs j, weighted ws vs [] j = 0.
Proof. induction ws as [| w ws I]; intros [| v vs] j; simpl; trivial. rewrite I, inj_0. ring. Qed.

Lemma weighted_cons e c ws : forall vs j, weighted ws vs (e :: c) j = inj e * combined ws vs j + weighted ws vs c (S j).
Proof.
  induction ws as [| w ws I]; intros [| v vs] j; simpl; try ring. rewrite I, inj_add, inj_mul. ring.
Qed.

Lemma hull_dot (o : Z) va vb vc wa wb wc : forall c x j, (length c <= length x)%nat ->
  (forall i xi, nth_error x i = Some xi ->
     inj o * xi = combined wa va (i + j) + inj o * (combined wb vb (i + j) + combined wc vc (i + j))) ->
  inj o * dot c x = weighted wa va c j + inj o * (weighted wb vb c j + weighted wc vc c j).
Proof.
  induction c as [| e c I]; intros x j L H; [rewrite !weighted_nil; simpl; ring |].
  destruct x as [| x0 x]; simpl in L; [lia |]. rewrite !weighted_cons. simpl.
  pose proof (H O x0 eq_refl) as H0. simpl in H0.
  assert (H1 := I x (S j)).
  transitivity (inj e * (inj o * x0) + inj o * dot c x); [ring |]. rewrite H0, H1; [ring | lia |].
  intros i xi Ei. specialize (H (S i) xi Ei). replace (i + S j)%nat with (S i + j)%nat by lia. exact H.
Qed.

Lemma weighted_le (b : Z) c : forall ws vs, Forall (le 0) ws -> length ws = length vs ->
  Forall (fun v : list Z => (at_generator 0 c v <= b)%Z) vs -> weighted ws vs c 0 <= inj b * total ws.
Proof.
  intros ws vs W. revert vs. induction W as [| w ws W _ I]; intros vs L B.
  - simpl. apply le_eq. unfold total. simpl. ring.
  - destruct vs as [| v vs]; [discriminate |]. inversion B; subst. unfold total in *. simpl.
    assert (L' : length ws = length vs) by now inversion L.
    apply by_diff with (inj (b - at_generator 0 c v) * w + (inj b * fold_right add 0 ws - weighted ws vs c 0)).
    + apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | apply diff; now apply I].
    + rewrite inj_sub. ring.
Qed.

Lemma weighted_zero c : forall ws vs, Forall (fun v : list Z => at_generator 0 c v = 0%Z) vs -> weighted ws vs c 0 = 0.
Proof.
  induction ws as [| w ws I]; intros [| v vs] H; simpl; trivial. inversion H as [| ? ? E H']; subst.
  rewrite E, inj_0, I by trivial. ring.
Qed.

(** On a set given by generators an affine function is largest at a vertex, if it does not grow along rays or lines: its
    value is the combination of its values at the generators. *)
Lemma hull_end_spec (o : Z) vs rs ls x c t : (0 < o)%Z -> hull o vs rs ls x -> (length c <= length x)%nat ->
  hull_end c vs rs ls = Some t -> inj o * dot c x <= inj t.
Proof.
  intros P (a & b & d & La & Lb & _ & Wa & Ta & Wb & H) L E. unfold hull_end in E.
  destruct (_ && _)%bool eqn:B in E; [| discriminate]. inversion E; subst t; clear E.
  apply andb_true_iff in B. destruct B as [B1 B2]. rewrite forallb_forall in B1, B2.
  rewrite (hull_dot o vs rs ls a b d c x 0 L).
  2: { intros i xi Ei. rewrite !Nat.add_0_r. now apply H. }
  rewrite (weighted_zero c d ls).
  2: { apply Forall_forall. intros r R. apply Z.eqb_eq. now apply B2. }
  assert (X : weighted b rs c 0 <= 0).
  { eapply le_trans; [apply (weighted_le 0); trivial |].
    - apply Forall_forall. intros r R. apply Z.leb_le. now apply B1.
    - apply le_eq. rewrite inj_0. ring. }
  assert (Y : weighted a vs c 0 <= inj (largest (map (at_generator 0 c) vs)) * total a).
  { apply weighted_le; trivial. pose proof (largest_spec (map (at_generator 0 c) vs)) as Q.
    rewrite Forall_map in Q. exact Q. }
  rewrite Ta in Y. apply diff in Y. apply nonneg_opp in X.
  assert (O : 0 <= (inj o : K)) by (apply inj_nonneg; lia).
  eapply by_diff; [apply (nonneg_add _ _ Y (le_mul K _ _ O X)) | ring].
Qed.

(** ** What holds of a region *)

Definition inside_region (s : setting) (r : region) x : Prop :=
  (0 < over_x r)%Z /\
  match generators s with
  | None => Forall2 (above_side (over_x r)) (lows r) x /\ Forall2 (below_side (over_x r)) (highs r) x
  | Some (vs, rs, ls) => length x = length (lows r) /\ hull (over_x r) vs rs ls x
  end /\
  Forall (fun f => 0 <= at_row f x) (facts r).

Definition good (s : setting) (r : region) x p : Prop :=
  Forall (le 0) p /\ total p = 1 /\
  forall c l, ends s r c = Some l -> length l = length p /\ inj (over_x r) * dot c x <= dot l p.


Fixpoint about_hold p (ns : list prepared) (ab : list (Z * list known)) x : Prop :=
  match ns, ab with
  | [], [] => True
  | (l, _) :: ns', (o, ks) :: ab' =>
      (0 < o)%Z /\ Forall2 (holds o p) ks (pre l (values (nets ns') x)) /\ about_hold p ns' ab' x
  | _, _ => False
  end.

Fixpoint prepared_ok (ns : list prepared) : Prop :=
  match ns with
  | [] => True
  | (l, r) :: ns' =>
      (0 < denominator l)%Z /\
      match r with
      | None => True
      | Some f => (0 < fine f)%Z /\ ns' <> [] /\ round_rows (fine f) (denominator l) (width f) (rows l) = Some (fine_rows f)
      end /\ prepared_ok ns'
  end.

Definition region_holds (s : setting) (r : region) x p : Prop :=
  inside_region s r x /\ good s r x p /\ about_hold p (net s) (about r) x.

Lemma good_exists s r x : inside_region s r x -> exists p, good s r x p.
Proof.
  intros (P & H & _). unfold good, ends. destruct (generators s) as [[[vs rs] ls] |].
  - destruct H as [L H]. exists [1]. split; [constructor; [apply zero_le_one | constructor] |].
    split; [unfold total; simpl; ring |]. intros c l E.
    destruct (length c <=? length (lows r))%nat eqn:N; [| discriminate]. apply Nat.leb_le in N.
    destruct (hull_end c vs rs ls) as [t |] eqn:T; [| discriminate]. inversion E; subst. split; trivial.
    eapply le_trans; [apply (hull_end_spec _ vs rs ls x c t); trivial; lia |]. simpl. apply le_eq. ring.
  - destruct H as [L H]. destruct (cornered_box s).
    + destruct (corners _ _ _ _ L H) as (p & W & T & C). exists p. split; trivial. split; trivial.
      intros c l E. destruct (C _ _ _ E) as [C1 C2]. split; trivial. rewrite <- C2, inj_0. apply le_eq. ring.
    + exists [1]. split; [constructor; [apply zero_le_one | constructor] |].
      split; [unfold total; simpl; ring |]. intros c l E.
      destruct (box_end c (lows r) (highs r) 0) as [t |] eqn:T; [| discriminate]. inversion E; subst. split; trivial.
      pose proof (box_end_spec _ _ _ _ _ _ _ L H T) as B. rewrite inj_0 in B. simpl.
      eapply le_trans; [| eapply le_trans; [exact B |]]; apply le_eq; ring.
Qed.

(** ** Bounds *)

Lemma stages_net ns : forall ab cs p x, about_hold p ns ab x -> net_of (stages ns ab cs) = nets ns.
Proof.
  induction ns as [| [l a] ns I]; intros [| [o ks] ab] cs p x H; simpl in *; trivial; try contradiction.
  destruct H as (_ & _ & H). unfold net_of, nets in *. simpl. f_equal. now apply (I ab (tl cs) p x).
Qed.

Lemma relu_all_nonneg (l : list K) : Forall (le 0) (map relu l).
Proof. induction l; simpl; constructor; trivial. apply relu_nonneg. Qed.

Lemma near_change e n fr gr (v : list K) r y : near {| fine := e; width := n; fine_rows := fr |} v r y ->
  near {| fine := e; width := n; fine_rows := gr |} v r y.
Proof. exact (fun H => H). Qed.

Lemma stages_hold p x ns : prepared_ok ns -> forall ab cs, about_hold p ns ab x -> all_hold p (stages ns ab cs) x.
Proof.
  induction ns as [| [l a] ns I]; intros O [| [o ks] ab] cs H; simpl in *; trivial; try contradiction.
  destruct H as (Po & Hk & H). destruct O as (Pd & Ha & O).
  split; [| now apply I].
  unfold stage_holds. simpl. rewrite (stages_net ns ab (tl cs) p x) by trivial.
  split; trivial. split; trivial. split; trivial.
  destruct (coarse (hd default_choice cs)); trivial. destruct a as [f |]; trivial.
  destruct Ha as (Pf & Nn & R). split; trivial.
  destruct ns as [| [l' a'] ns]; [contradiction |]. simpl nets. cbn [values].
  exists (map relu (pre l' (values (nets ns) x))), (values (nets ns) x).
  split; [reflexivity |]. split; [apply relu_all_nonneg |].
  destruct f as [e n fr]. simpl in *.
  exact (round_rows_spec e (denominator l) n (map relu (pre l' (values (nets ns) x))) (values (nets ns) x) Pf Pd
    (relu_all_nonneg _) _ _ R).
Qed.

(** Weak duality: rows that are >= 0 are added with multipliers >= 0, and the form does not become smaller. An equality is
    two rows. *)
Lemma add_facts_spec x fs sc ov : Forall (fun f => 0 <= at_row f x) fs -> forall ms b c b' c',
  add_facts fs sc ov ms b c = (b', c') -> inj b + dot c x <= inj b' + dot c' x.
Proof.
  intros H. induction ms as [| [i n] ms I]; intros b c b' c' E; simpl in E; [inversion E; subst; apply le_refl |].
  destruct (nth_error fs i) as [[fb fc] |] eqn:N; [| now apply I].
  apply nth_error_In in N. rewrite Forall_forall in H. specialize (H _ N). unfold at_row in H. simpl in H.
  set (m := Z.max 0 (up (sc * n) ov)) in E.
  specialize (I _ _ _ _ E). eapply le_trans; [| exact I].
  apply by_diff with (inj m * (inj fb + dot fc x)).
  - apply le_mul; trivial. apply inj_nonneg. lia.
  - rewrite dot_plus_times, inj_add, inj_mul. ring.
Qed.

Lemma dot_map_affine (m b : Z) p : forall l, length l = length p ->
  dot (map (fun e => (m * e + b)%Z) l) p = inj m * dot l p + inj b * total p.
Proof.
  induction p as [| w p I]; intros [| e l] L; try discriminate; unfold total in *; simpl; [ring |].
  rewrite I by (now inversion L). rewrite inj_add, inj_mul. ring.
Qed.

Lemma plus_length : forall (a b : list Z), (length a <= length (plus a b))%nat.
Proof. induction a as [| c a I]; intros [| e b]; simpl; try lia. specialize (I b). lia. Qed.

(** At the inputs: the numbers at the corners (or the one number of a box or a hull) bound the neuron in the mean. *)
Lemma finished_spec s r x p f e d l a : region_holds s r x p -> form_holds p f [x] a -> finished s r f e = Some (d, l) ->
  (0 < d)%Z /\ (length p <= length l)%nat /\ inj d * a <= dot l p.
Proof.
  intros ((Po & _ & Hf) & (W & T & G) & _) (Pd & Pm & H) E. unfold finished in E. cbv zeta in E.
  destruct (0 <? times_form e)%Z eqn:Q; [| discriminate]. apply Z.ltb_lt in Q.
  set (q := match multipliers e with [] => 1%Z | _ => times_form e end) in E.
  assert (Pq : (0 < q)%Z) by (unfold q; destruct (multipliers e); lia).
  assert (HH : inj (m_ f) * inj (d_ f) * a <= inj (m_ f) * dot (hd [] (bl_ f)) x + inj (k_ f) + dot (t_ f) p).
  { eapply le_trans; [exact H |]. rewrite bdot_head, bdot_nil_r. apply le_eq. ring. }
  clear H.
  match type of E with context [let '(_, _) := ?t in _] => set (added := t) in E end.
  assert (A : inj q * dot (hd [] (bl_ f)) x <= inj (fst added) + dot (snd added) x).
  { unfold added, q. destruct (multipliers e) as [| m ms] eqn:M.
    - simpl. rewrite inj_1, inj_0. apply le_eq. ring.
    - match goal with |- context [add_facts ?a ?b ?c ?d ?ee ?ff] => destruct (add_facts a b c d ee ff) as [b0 c0] eqn:AF end.
      apply (add_facts_spec x) in AF; trivial. simpl. rewrite dot_scale, inj_0 in AF.
      eapply le_trans; [| exact AF]. apply le_eq. ring. }
  clearbody added q. destruct added as [b c]. simpl in A.
  destruct (ends s r c) as [en |] eqn:En; [| discriminate]. destruct (G _ _ En) as [Le Ge].
  inversion E; subst d l; clear E. split; [nia |]. split.
  - eapply Nat.le_trans; [| apply plus_length]. rewrite map_length. lia.
  - rewrite dot_plus, dot_scale, dot_map_affine, T by trivial.
    apply diff in HH. apply diff in A. apply diff in Ge.
    assert (Q1 : 0 <= (inj (over_x r * q) : K)) by (apply inj_nonneg; nia).
    assert (Q2 : 0 <= (inj (over_x r * m_ f) : K)) by (apply inj_nonneg; nia).
    assert (Q3 : 0 <= (inj (m_ f) : K)) by (apply inj_nonneg; lia).
    eapply by_diff; [apply (nonneg_add _ _ (le_mul K _ _ Q1 HH) (nonneg_add _ _ (le_mul K _ _ Q2 A) (le_mul K _ _ Q3 Ge))) |].
    rewrite ?inj_add, ?inj_mul, ?inj_add, ?inj_mul. ring.
Qed.

Lemma bdot_skip (b : list (list Z)) : forall n (vs : list (list K)), bdot (repeat [] n ++ b) vs = bdot b (skipn n vs).
Proof.
  induction n as [| n I]; intros vs; [reflexivity |]. destruct vs as [| v vs]; simpl; [now rewrite bdot_nil_r |].
  rewrite I. ring.
Qed.

Lemma skip_values x : forall ns k l earlier, skipn k ns = l :: earlier -> skipn (S k) (values ns x) = values earlier x.
Proof.
  induction ns as [| m ns I]; intros k l earlier E; [now destruct k |].
  destruct k as [| k]; simpl in E.
  - inversion E; subst. reflexivity.
  - simpl. now apply (I k l).
Qed.

Definition signed (sign : bool) a : K := if sign then a else - a.

Lemma bound_spec s r x p cs e f d bs a : prepared_ok (net s) -> region_holds s r x p ->
  form_holds p f (values (nets (net s)) x) a -> bound s r (stages (net s) (about r) cs) e f = Some (d, bs) ->
  (0 < d)%Z /\ (length p <= length bs)%nat /\ inj d * a <= dot bs p.
Proof.
  intros O H F E. unfold bound in E. destruct (back _ _) as [g |] eqn:B in E; [| discriminate].
  apply finished_spec with (x := x) (p := p) (a := a) in E; trivial.
  destruct H as (_ & (W & _) & Ha).
  eapply (back_spec p W _ _ _ x _ (stages_hold p x _ O _ cs Ha)); [| exact B].
  now rewrite (stages_net _ _ _ p x Ha).
Qed.

Definition z_of (l : layer) (w : row) before : K := inv (inj (denominator l)) * numerator w before.

Lemma start_spec ns l k w sign x p earlier : skipn k ns = l :: earlier -> (0 < denominator l)%Z ->
  form_holds p (start l k w sign) (values ns x) (signed sign (z_of l w (values earlier x))).
Proof.
  intros Sk Pl. unfold start, form_holds. simpl d_. simpl m_. simpl k_. simpl t_. simpl bl_.
  split; [trivial |]. split; [lia |].
  change ([] :: repeat [] k ++ bscale (if sign then 1%Z else (-1)%Z) (blocks w))
    with (repeat ([] : list Z) (S k) ++ bscale (if sign then 1%Z else (-1)%Z) (blocks w)).
  rewrite bdot_skip, (skip_values x _ k l earlier Sk), bdot_scale. simpl dot. rewrite inj_mul, inj_1.
  assert (C : inj (denominator l) * z_of l w (values earlier x) = numerator w (values earlier x)).
  { unfold z_of. rewrite <- (times_inv (denominator l) (numerator w (values earlier x)) Pl) at 2. ring. }
  unfold numerator in C. apply le_eq. destruct sign; simpl signed.
  - rewrite inj_1. transitivity (inj (denominator l) * z_of l w (values earlier x)); [ring |].
    rewrite C. ring.
  - rewrite (inj_opp 1), inj_1. transitivity (- (inj (denominator l) * z_of l w (values earlier x))); [ring |].
    rewrite C. ring.
Qed.

Lemma dot_opp c : forall x, dot (map Z.opp c) x = - dot c x.
Proof. induction c as [| e c I]; intros [| a x]; simpl; try ring. rewrite I, inj_opp. ring. Qed.

Lemma start_rounded_spec (f : rounded) ns l k w sign x p earlier y v rest : skipn k ns = l :: earlier ->
  (0 < fine f)%Z -> values earlier x = v :: rest -> near f v w y ->
  form_holds p (start_rounded f k w sign) (values ns x) (signed sign y).
Proof.
  intros Sk Pf V (b & Eb & N1 & N2). unfold start_rounded, form_holds. cbn [d_ m_ k_ t_ bl_].
  split; [trivial |]. split; [lia |].
  rewrite bdot_skip, (skip_values x _ k l earlier Sk), V, Eb. cbn [bdot dot hd]. rewrite inj_1. destruct sign; cbn [signed bdot].
  - eapply le_trans; [| eapply le_trans; [exact N1 |]]; apply le_eq; ring.
  - rewrite dot_plus, dot_opp, inj_sub, inj_1. apply diff in N2. eapply by_diff; [exact N2 | ring].
Qed.

(** The rounded rows of a layer are near its pre-activations. *)
Definition others_near (a : option rounded) (others : list row) before (ys : list K) : Prop :=
  match a with
  | None => True
  | Some f => (0 < fine f)%Z /\ exists v rest, before = v :: rest /\ Forall2 (near f v) others ys
  end.

Lemma start_of_spec (a : option rounded) others ns l k w sign x p earlier ys : skipn k ns = l :: earlier -> (0 < denominator l)%Z ->
  others_near a others (values earlier x) (z_of l w (values earlier x) :: ys) ->
  form_holds p (start_of l a others k w sign) (values ns x) (signed sign (z_of l w (values earlier x))).
Proof.
  intros Sk Pl N. unfold start_of. destruct a as [f |]; [| now apply start_spec].
  destruct N as (Pf & v & rest & V & N). inversion N as [| w' y' others' ys' N0 _]; subst.
  now apply (start_rounded_spec f ns l k w' sign x p earlier _ v rest).
Qed.

(** ** Derived bounds hold *)

Lemma dot_restated (o d : Z) p : (0 < d)%Z -> Forall (le 0) p -> forall l,
  inj o * dot l p <= inj d * dot (map (fun e => up (e * o) d) l) p.
Proof.
  intros P. induction 1 as [| w p W _ I]; intros l; [rewrite !dot_nil_r; apply le_eq; ring |].
  destruct l as [| e l]; simpl; [apply le_eq; ring |].
  pose proof (up_spec (e * o) d P).
  apply by_diff with (inj (d * up (e * o) d - e * o) * w + (inj d * dot (map (fun e => up (e * o) d) l) p - inj o * dot l p)).
  - apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | apply diff; apply I].
  - rewrite inj_sub, !inj_mul. ring.
Qed.

Lemma restated_upper (o o' : Z) p l y : (0 < o)%Z -> (0 < o')%Z -> Forall (le 0) p -> inj o * y <= dot l p ->
  inj o' * y <= dot (map (fun e => up (e * o') o) l) p.
Proof.
  intros P P' W H. apply le_cancel with o; trivial. eapply le_trans; [| now apply dot_restated].
  apply by_diff with (inj o' * (dot l p - inj o * y)); [| ring].
  apply le_mul; [apply inj_nonneg; lia | now apply diff].
Qed.

Lemma restated_le (o o' a : Z) y : (0 < o)%Z -> (0 < o')%Z -> inj o * y <= inj a -> inj o' * y <= inj (up (a * o') o).
Proof.
  intros P P' H. apply le_cancel with o; trivial.
  apply by_diff with (inj o' * (inj a - inj o * y) + inj (o * up (a * o') o - a * o')).
  - apply nonneg_add; [apply le_mul; [apply inj_nonneg; lia | now apply diff] | apply inj_nonneg].
    pose proof (up_spec (a * o') o P). lia.
  - rewrite inj_sub, !inj_mul. ring.
Qed.

Lemma restated_ge (o o' a : Z) y : (0 < o)%Z -> (0 < o')%Z -> inj a <= inj o * y -> inj (down (a * o') o) <= inj o' * y.
Proof.
  intros P P' H. apply le_cancel with o; trivial.
  apply by_diff with (inj o' * (inj o * y - inj a) + inj (a * o' - o * down (a * o') o)).
  - apply nonneg_add; [apply le_mul; [apply inj_nonneg; lia | now apply diff] | apply inj_nonneg].
    pose proof (down_spec (a * o') o P). lia.
  - rewrite inj_sub, !inj_mul. ring.
Qed.

Lemma restated_spec (o o' : Z) p k y : (0 < o)%Z -> (0 < o')%Z -> Forall (le 0) p -> holds o p k y ->
  holds o' p (restated o o' k) y.
Proof.
  intros P P' W H. unfold restated. destruct (o =? o')%Z eqn:E; [apply Z.eqb_eq in E; now subst |].
  destruct H as (L & H & U & V). split; [| split; [| split]]; simpl.
  - intros l El. destruct (low k) as [l0 |]; [| discriminate]. inversion El. apply restated_ge; trivial. now apply L.
  - intros h Eh. destruct (high k) as [h0 |]; [| discriminate]. inversion Eh. apply restated_le; trivial. now apply H.
  - intros N. replace (- (inj o' * y)) with (inj o' * - y) by ring. apply restated_upper; trivial.
    replace (inj o * - y) with (- (inj o * y)) by ring. apply U. intros M. apply N. now rewrite M.
  - intros N. apply restated_upper; trivial. apply V. intros M. apply N. now rewrite M.
Qed.

Lemma largest_bound p l : Forall (le 0) p -> total p = 1 -> (length p <= length l)%nat -> dot l p <= inj (largest l).
Proof.
  intros W T L. eapply le_trans; [apply (dot_le_total (largest l)); trivial; apply largest_spec |].
  rewrite T. apply le_eq. ring.
Qed.

Definition found_ok p (found : option (Z * list Z)) a : Prop :=
  forall d l, found = Some (d, l) -> (0 < d)%Z /\ (length p <= length l)%nat /\ inj d * a <= dot l p.

Lemma with_upper_spec corners o p found k y : (0 < o)%Z -> Forall (le 0) p -> total p = 1 -> found_ok p found y ->
  holds o p k y -> holds o p (with_upper corners o found k) y.
Proof.
  intros P W T F H. unfold with_upper. destruct found as [[d l] |]; trivial.
  destruct (F d l eq_refl) as (Pd & L & B). destruct H as (L0 & H & U & V).
  assert (B' : inj o * y <= dot (map (fun e => up (e * o) d) l) p) by now apply restated_upper.
  split; [| split; [| split]]; simpl; trivial.
  - intros h E. assert (M : inj o * y <= inj (largest (map (fun e => up (e * o) d) l))).
    { eapply le_trans; [exact B' |]. apply largest_bound; trivial. now rewrite map_length. }
    destruct (high k) as [h0 |]; inversion E; subst; trivial.
    destruct (Z.min_spec h0 (largest (map (fun e => up (e * o) d) l))) as [[_ ->] | [_ ->]]; trivial. now apply H.
  - destruct corners; trivial.
Qed.

Lemma with_lower_spec corners o p found k y : (0 < o)%Z -> Forall (le 0) p -> total p = 1 -> found_ok p found (- y) ->
  holds o p k y -> holds o p (with_lower corners o found k) y.
Proof.
  intros P W T F H. unfold with_lower. destruct found as [[d l] |]; trivial.
  destruct (F d l eq_refl) as (Pd & L & B). destruct H as (L0 & H & U & V).
  assert (B' : inj o * - y <= dot (map (fun e => up (e * o) d) l) p) by now apply restated_upper.
  replace (inj o * - y) with (- (inj o * y)) in B' by ring.
  split; [| split; [| split]]; simpl; trivial.
  - intros h E. assert (M : inj (- largest (map (fun e => up (e * o) d) l)) <= inj o * y).
    { rewrite inj_opp. replace (inj o * y) with (- - (inj o * y)) by ring. apply le_opp.
      eapply le_trans; [exact B' |]. apply largest_bound; trivial. now rewrite map_length. }
    destruct (low k) as [h0 |]; inversion E; subst; trivial.
    destruct (Z.max_spec h0 (- largest (map (fun e => up (e * o) d) l))) as [[_ ->] | [_ ->]]; trivial. now apply L0.
  - destruct corners; trivial.
Qed.

Lemma update_all_spec corners o o' p : (0 < o)%Z -> (0 < o')%Z -> Forall (le 0) p -> total p = 1 ->
  forall ks ys, Forall2 (holds o p) ks ys -> forall fs,
  (forall i f y, nth_error fs i = Some f -> nth_error ys i = Some y -> found_ok p (fst f) (- y) /\ found_ok p (snd f) y) ->
  Forall2 (holds o' p) (update_all corners o o' fs ks) ys.
Proof.
  intros P P' W T. induction 1 as [| k y ks ys H _ I]; intros fs F; [constructor |].
  simpl. pose proof (restated_spec o o' p k y P P' W H) as R. destruct fs as [| [a b] fs].
  - constructor; trivial. apply I. intros i f z E. now destruct i.
  - destruct (F O (a, b) y eq_refl eq_refl) as [Fa Fb]. constructor.
    + apply with_upper_spec; trivial. now apply with_lower_spec.
    + apply I. intros i f z E1 E2. exact (F (S i) f z E1 E2).
Qed.

Lemma about_nth p ns : forall k ab x l (a : option rounded) o ks, about_hold p ns ab x -> nth_error ns k = Some (l, a) ->
  nth_error ab k = Some (o, ks) ->
  (0 < o)%Z /\ Forall2 (holds o p) ks (pre l (values (nets (skipn (S k) ns)) x)).
Proof.
  induction ns as [| [l0 a0] ns I]; intros k [| [o0 ks0] ab] x l a o ks H E F; try now destruct k.
  destruct H as (P & H0 & H). destruct k as [| k]; simpl in E, F.
  - inversion E; inversion F; subst. now split.
  - now apply (I k ab x l a o ks).
Qed.

Lemma about_replace p ns : forall k ab x l (a : option rounded) o' ks', about_hold p ns ab x -> nth_error ns k = Some (l, a) ->
  (0 < o')%Z -> Forall2 (holds o' p) ks' (pre l (values (nets (skipn (S k) ns)) x)) ->
  about_hold p ns (replace_nth k ab (o', ks')) x.
Proof.
  induction ns as [| [l0 a0] ns I]; intros k [| [o0 ks0] ab] x l a o' ks' H E P F; try (now destruct k); try contradiction.
  destruct H as (P0 & H0 & H). destruct k as [| k]; simpl in E; simpl.
  - inversion E; subst. repeat split; trivial.
  - repeat split; trivial. now apply (I k ab x l a).
Qed.

Lemma nets_skip ns k l (a : option rounded) : nth_error ns k = Some (l, a) -> skipn k (nets ns) = l :: nets (skipn (S k) ns).
Proof.
  revert k. induction ns as [| [l0 a0] ns I]; intros [| k] E; simpl in *; try discriminate.
  - now inversion E.
  - now apply I.
Qed.

Lemma prepared_nth ns k l (a : option rounded) : prepared_ok ns -> nth_error ns k = Some (l, a) -> (0 < denominator l)%Z.
Proof.
  revert k. induction ns as [| [l0 a0] ns I]; intros [| k] O E; simpl in *; try discriminate;
    destruct O as (P & _ & O).
  - now inversion E; subst.
  - now apply (I k).
Qed.

Lemma prepared_near x : forall ns k l (f : rounded), prepared_ok ns -> nth_error ns k = Some (l, Some f) ->
  others_near (Some f) (fine_rows f) (values (nets (skipn (S k) ns)) x) (pre l (values (nets (skipn (S k) ns)) x)).
Proof.
  induction ns as [| [l0 a0] ns I]; intros [| k] l f O E; simpl in E; try discriminate; destruct O as (Pd & Ha & O).
  - inversion E; subst. destruct Ha as (Pf & Nn & R). split; trivial. simpl skipn.
    destruct ns as [| [l' a'] ns]; [contradiction |]. simpl nets. cbn [values].
    exists (map relu (pre l' (values (nets ns) x))), (values (nets ns) x). split; [reflexivity |].
    destruct f as [e n fr]. simpl in *.
    exact (round_rows_spec e (denominator l) n (map relu (pre l' (values (nets ns) x))) (values (nets ns) x) Pf Pd
      (relu_all_nonneg _) _ _ R).
  - now apply (I k l f).
Qed.

Lemma find_all_spec s r x p g l (a : option rounded) b : prepared_ok (net s) -> region_holds s r x p ->
  nth_error (net s) (at_layer g) = Some (l, b) ->
  forall ws others ks m i f y,
  others_near a others (values (nets (skipn (S (at_layer g)) (net s))) x)
    (map (fun w => z_of l w (values (nets (skipn (S (at_layer g)) (net s))) x)) ws) ->
  nth_error (find_all s r (stages (net s) (about r) (choices g)) g l a others m ws ks) i = Some f ->
  nth_error (map (fun w => z_of l w (values (nets (skipn (S (at_layer g)) (net s))) x)) ws) i = Some y ->
  found_ok p (fst f) (- y) /\ found_ok p (snd f) y.
Proof.
  intros O H N. pose proof (nets_skip _ _ _ _ N) as Sk. pose proof (prepared_nth _ _ _ _ O N) as Pl.
  induction ws as [| w ws I]; intros others ks m i f y Q E F; [now destruct i |].
  destruct ks as [| k ks]; [now destruct i |]. simpl find_all in E. destruct i as [| i].
  - simpl in E, F. inversion E; inversion F; subst; clear E F. simpl fst. simpl snd. split; intros d bs E.
    + destruct (_ && lower_side g); [| discriminate].
      apply (bound_spec s r x p (choices g) (end_of g) _ d bs _ O H (start_of_spec _ _ _ l _ w false x p _ _ Sk Pl Q) E).
    + destruct (_ && upper_side g); [| discriminate].
      apply (bound_spec s r x p (choices g) (end_of g) _ d bs _ O H (start_of_spec _ _ _ l _ w true x p _ _ Sk Pl Q) E).
  - refine (I _ _ _ _ _ _ _ E F). destruct a as [fr |]; trivial. destruct Q as (Pf & v & rest & V & Q). split; trivial.
    exists v, rest. split; trivial. simpl in Q. inversion Q; subst. simpl. trivial.
Qed.

(** A derivation keeps what holds: a bound of y or of - y, rounded outward, meets what was known, and both hold. *)
Lemma derive_spec s r g r' x p : prepared_ok (net s) -> region_holds s r x p -> derive s r g = Some r' ->
  region_holds s r' x p.
Proof.
  intros O H E. unfold derive in E.
  destruct (nth_error (net s) (at_layer g)) as [[l a] |] eqn:N; [| discriminate].
  destruct (nth_error (about r) (at_layer g)) as [[o ks] |] eqn:A; [| discriminate]. cbv zeta in E.
  set (a' := if from_rounded _ then a else None) in E.
  set (others := match a' with Some _ => _ | None => _ end) in E.
  set (found := find_all _ _ _ _ _ _ _ _ _ _) in E.
  set (o' := match new_over g with Some _ => _ | None => _ end) in E.
  destruct (0 <? o')%Z eqn:P; [| discriminate]. apply Z.ltb_lt in P. inversion E; subst r'; clear E.
  pose proof H as (Hi & Hg & Ha). split; [exact Hi |]. split; [exact Hg |]. cbn [about].
  destruct (about_nth p _ _ _ _ _ _ _ _ Ha N A) as [Po Hk].
  apply (about_replace p (net s) (at_layer g) (about r) x l a); trivial.
  destruct Hg as (W & T & _).
  apply update_all_spec; trivial. intros i f y Ei Ey.
  refine (find_all_spec s r x p g l a' a O H N _ _ _ _ _ _ _ _ Ei Ey).
  subst others a'. destruct (from_rounded (end_of g)); [| exact I]. destruct a as [fr |]; [| exact I].
  exact (prepared_near x _ _ _ _ O N).
Qed.

Lemma derive_all_spec s x p : prepared_ok (net s) -> forall gs r r', region_holds s r x p ->
  derive_all s r gs = Some r' -> region_holds s r' x p.
Proof.
  intros O. induction gs as [| g gs I]; intros r r' H E; simpl in E; [now inversion E; subst |].
  destruct (derive s r g) as [r1 |] eqn:D; [| discriminate].
  apply (I r1 r'); trivial. now apply (derive_spec s r g r1).
Qed.

(** ** Splits cover *)

Lemma Forall2_replace {A} (R : A -> K -> Prop) : forall l x j b, Forall2 R l x ->
  (forall xj, nth_error x j = Some xj -> R b xj) -> Forall2 R (replace_nth j l b) x.
Proof.
  intros l x j b H. revert j. induction H as [| a y l x H0 H I]; intros j B; simpl; [destruct j; constructor |].
  destruct j as [| j]; constructor; trivial; [now apply B | now apply I].
Qed.

Lemma Forall2_nth {A} (R : A -> K -> Prop) default : forall l x, Forall2 R l x -> forall j xj, nth_error x j = Some xj ->
  R (nth j l default) xj.
Proof.
  induction 1 as [| a y l x H _ I]; intros [| j] xj E; simpl in *; try discriminate; [now inversion E; subst |].
  now apply I.
Qed.

Lemma refine_low (o o' : Z) lo x : (0 < o)%Z -> (0 < o')%Z -> Forall2 (above_side o) lo x ->
  Forall2 (above_side o') (map (option_map (fun a : Z => down (a * o') o)) lo) x.
Proof.
  intros P P'. induction 1 as [| s a lo x H _ I]; simpl; constructor; trivial.
  destruct s as [b |]; simpl in *; trivial. now apply restated_ge.
Qed.

Lemma refine_high (o o' : Z) hi x : (0 < o)%Z -> (0 < o')%Z -> Forall2 (below_side o) hi x ->
  Forall2 (below_side o') (map (option_map (fun a : Z => up (a * o') o)) hi) x.
Proof.
  intros P P'. induction 1 as [| s a lo x H _ I]; simpl; constructor; trivial.
  destruct s as [b |]; simpl in *; trivial. now apply restated_le.
Qed.

Lemma more_low_spec (o b : Z) s a : above_side o s a -> inj b <= inj o * a -> above_side o (more_low s b) a.
Proof.
  intros H B. unfold more_low. destruct s as [c |]; simpl in *; trivial.
  destruct (Z.max_spec c b) as [[_ ->] | [_ ->]]; trivial.
Qed.

Lemma less_high_spec (o b : Z) s a : below_side o s a -> inj o * a <= inj b -> below_side o (less_high s b) a.
Proof.
  intros H B. unfold less_high. destruct s as [c |]; simpl in *; trivial.
  destruct (Z.min_spec c b) as [[_ ->] | [_ ->]]; trivial.
Qed.

Lemma forget_hold o p p' k y : holds o p k y -> holds o p' (forget k) y.
Proof. intros (L & H & _). split; [exact L |]. split; [exact H |]. split; simpl; congruence. Qed.

Lemma about_forget p p' x ns : forall ab, about_hold p ns ab x ->
  about_hold p' ns (map (fun l => (fst l, map forget (snd l))) ab) x.
Proof.
  induction ns as [| [l a] ns I]; intros [| [o ks] ab] H; simpl in *; trivial.
  destruct H as (P & H & R). split; [exact P |]. split; [| now apply I].
  clear - H. induction H; simpl; constructor; trivial. now apply (forget_hold _ p).
Qed.

Definition reached (s : setting) (r : region) x : Prop := exists p, region_holds s r x p.

(** The parts of a split cover: x_j <= c or x_j >= c. Each part has corners of its own, so bounds at corners are forgotten;
    the others hold in the parts, too. *)
Lemma cut_input_spec s r j n d refine x : generators s = None -> (0 < d)%Z -> reached s r x ->
  reached s (cut_input r j n d refine false) x \/ reached s (cut_input r j n d refine true) x.
Proof.
  intros Gn Pd (p & ((Po & B & Hf) & _ & Ha)). rewrite Gn in B. destruct B as [L H].
  assert (Side : (forall xj, nth_error x j = Some xj -> inj d * xj <= inj n) \/
                 (forall xj, nth_error x j = Some xj -> inj n <= inj d * xj)).
  { destruct (nth_error x j) as [xj |]; [| left; discriminate].
    destruct (le_total K (inj d * xj) (inj n)); [left | right]; intros ? E; inversion E; subst; trivial. }
  set (o := over_x r) in *.
  set (o' := (if refine then Z.lcm o d else o)%Z).
  assert (Po' : (0 < o')%Z).
  { unfold o'. destruct refine; trivial. pose proof (Z.lcm_nonneg o d). pose proof (Z.lcm_eq_0 o d). lia. }
  set (lo := if (o' =? o)%Z then lows r else map (option_map (fun a : Z => down (a * o') o)) (lows r)).
  set (hi := if (o' =? o)%Z then highs r else map (option_map (fun a : Z => up (a * o') o)) (highs r)).
  assert (L' : Forall2 (above_side o') lo x).
  { unfold lo. destruct (o' =? o)%Z eqn:E; [apply Z.eqb_eq in E; now rewrite E | now apply refine_low]. }
  assert (H' : Forall2 (below_side o') hi x).
  { unfold hi. destruct (o' =? o)%Z eqn:E; [apply Z.eqb_eq in E; now rewrite E | now apply refine_high]. }
  assert (Final : forall up_side, inside_region s (cut_input r j n d refine up_side) x ->
    reached s (cut_input r j n d refine up_side) x).
  { intros u I. destruct (good_exists _ _ _ I) as [p' G]. exists p'. split; [exact I |]. split; [exact G |].
    simpl. now apply about_forget with p. }
  destruct Side as [S | S]; [left | right]; apply Final; unfold inside_region; rewrite Gn; simpl; fold o; fold o'; fold lo; fold hi;
    (split; [exact Po' | split; [split | exact Hf]]); trivial; apply Forall2_replace; trivial; intros xj E.
  - apply less_high_spec; [now apply (Forall2_nth (below_side o') None hi x) |]. apply restated_le; trivial. now apply S.
  - apply more_low_spec; [now apply (Forall2_nth (above_side o') None lo x) |]. apply restated_ge; trivial. now apply S.
Qed.

Lemma about_length p x ns : forall ab k, about_hold p ns ab x -> forall l, nth_error ab k = Some l ->
  exists m, nth_error ns k = Some m.
Proof.
  induction ns as [| [l0 a0] ns I]; intros [| [o ks] ab] k H l E; simpl in *; try contradiction; [now destruct k |].
  destruct k as [| k]; simpl in *; [eauto |]. destruct H as (_ & _ & H). now apply (I ab k H l).
Qed.

Lemma Forall2_same_length {A} (R : A -> K -> Prop) l x : Forall2 R l x -> length l = length x.
Proof. induction 1; simpl; congruence. Qed.

(** Likewise z <= 0 or z >= 0; the box stays, and with it its corners. *)
Lemma cut_neuron_spec s r k i x : reached s r x -> reached s (cut_neuron r k i false) x \/ reached s (cut_neuron r k i true) x.
Proof.
  intros (p & H). unfold cut_neuron.
  destruct (nth_error (about r) k) as [[o ks] |] eqn:A; [| left; now exists p].
  destruct (nth_error ks i) as [kn |] eqn:N; [| left; now exists p].
  pose proof H as (Hi & Hg & Ha).
  destruct (about_length p x _ _ k Ha _ A) as [[l a] M].
  destruct (about_nth p _ _ _ _ _ _ _ _ Ha M A) as [Po Hk].
  set (ys := pre l (values (nets (skipn (S k) (net s))) x)) in *.
  assert (Y : exists y, nth_error ys i = Some y).
  { destruct (nth_error ys i) as [y |] eqn:Y; [now exists y |]. apply nth_error_None in Y.
    assert (nth_error ks i <> None) as Nn by congruence. apply nth_error_Some in Nn.
    apply Forall2_same_length in Hk. lia. }
  destruct Y as [y Ey].
  assert (Final : forall u : bool, (if u then 0 <= y else y <= 0) ->
    Forall2 (holds o p) (replace_nth i ks (with_sign u kn)) ys).
  { intros u S. apply Forall2_replace; trivial. intros y' E. rewrite E in Ey. inversion Ey; subst y'.
    pose proof (Forall2_nth (holds o p) kn ks ys Hk i y E) as Hy.
    replace (nth i ks kn) with kn in Hy by (symmetry; now apply nth_error_nth).
    destruct Hy as (L & Hh & U & V). 
    assert (O : 0 <= (inj o : K)) by (apply inj_nonneg; lia).
    split; [| split; [| split; trivial]]; simpl; destruct u; trivial; intros b E'.
    - assert (B : inj 0 <= inj o * y) by (rewrite inj_0; now apply le_mul).
      assert (C : above_side o (low kn) y) by (destruct (low kn); simpl; trivial; now apply L).
      pose proof (more_low_spec o 0 _ _ C B) as D. rewrite E' in D. exact D.
    - assert (B : inj o * y <= inj 0).
      { rewrite inj_0. apply opp_nonneg. replace (- (inj o * y)) with (inj o * - y) by ring. apply le_mul; trivial.
        now apply nonneg_opp. }
      assert (C : below_side o (high kn) y) by (destruct (high kn); simpl; trivial; now apply Hh).
      pose proof (less_high_spec o 0 _ _ C B) as D. rewrite E' in D. exact D. }
  destruct (le_total K y 0) as [S | S]; [left | right]; exists p; (split; [exact Hi | split; [exact Hg |]]);
    cbn [about]; apply (about_replace p (net s) k (about r) x l a); trivial; now apply Final.
Qed.

Lemma cut_spec s r c x : reached s r x -> reached s (cut s r c false) x \/ reached s (cut s r c true) x.
Proof.
  intros H. destruct c as [j n d f | k i]; simpl.
  - destruct (generators s) eqn:G; [now left |].
    destruct (0 <? d)%Z eqn:P; [| now left]. apply Z.ltb_lt in P. now apply cut_input_spec.
  - now apply cut_neuron_spec.
Qed.

(** ** Trees *)

Lemma crossed_false (o : Z) l h y : (forall b, l = Some b -> inj b <= inj o * y) -> (forall b, h = Some b -> inj o * y <= inj b) ->
  crossed l h = true -> False.
Proof.
  intros L H C. destruct l as [l |], h as [h |]; try discriminate. simpl in C. apply Z.ltb_lt in C.
  specialize (L l eq_refl). specialize (H h eq_refl).
  apply (inj_pos_distinct (K := K) (l - h)); [lia |]. apply le_antisym; [| apply inj_nonneg; lia].
  apply opp_nonneg. pose proof (le_trans _ _ _ _ L H) as M. apply diff in M.
  replace (- inj (l - h)) with (inj h - inj l : K) by (rewrite inj_sub; ring). trivial.
Qed.

(** Where a lower bound is above an upper one there are no points, and any bound holds. *)
Lemma contradictory_spec s r x : reached s r x -> contradictory s r = true -> False.
Proof.
  intros (p & ((Po & B & _) & _ & Ha)) C. unfold contradictory in C. apply orb_true_iff in C. destruct C as [C | C].
  - destruct (generators s); [discriminate |]. destruct B as [L H]. revert C H. generalize (highs r).
    clear Ha. induction L as [| l a lo x L _ I]; intros hi C H; simpl in C; [discriminate |].
    inversion H as [| h a' hi' x' Hh Hs]; subst. apply orb_true_iff in C. destruct C as [C | C].
    + apply (crossed_false (over_x r) l h a); trivial; intros b E; subst; [exact L | exact Hh].
    + now apply (I hi').
  - revert C Ha. generalize (net s) (about r). clear.
    induction l as [| [l a] ns I]; intros [| [o ks] ab] C H; simpl in *; try discriminate; try contradiction.
    destruct H as (P & H & R). apply orb_true_iff in C. destruct C as [C | C]; [| now apply (I ab)].
    clear R. revert C. induction H as [| k y ks ys (L & Hh & _) _ J]; simpl; [discriminate |].
    intros C. apply orb_true_iff in C. destruct C as [C | C]; [| now apply J].
    now apply (crossed_false o (low k) (high k) y).
Qed.
End Sound.

(** Affine forms with integer coefficients, and the three steps that take an upper bound of a neuron back through a
    layer: through the ReLUs, through the affine map exactly, through the affine map rounded. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec.
Import ListNotations.

(** Lists of coefficients; what is missing at the end is zero. *)
Fixpoint plus (a b : list Z) : list Z :=
  match a, b with [], _ => b | _, [] => a | x :: a', y :: b' => (x + y)%Z :: plus a' b' end.
Fixpoint bplus (a b : list (list Z)) : list (list Z) :=
  match a, b with [], _ => b | _, [] => a | x :: a', y :: b' => plus x y :: bplus a' b' end.
Definition scale (c : Z) (a : list Z) : list Z := if (c =? 1)%Z then a else map (Z.mul c) a.
Definition bscale (c : Z) (a : list (list Z)) : list (list Z) := if (c =? 1)%Z then a else map (map (Z.mul c)) a.

(** [c * w + a]. *)
Fixpoint plus_times (c : Z) (w a : list Z) : list Z :=
  match w, a with
  | [], _ => a
  | _, [] => map (Z.mul c) w
  | x :: w', y :: a' => (y + c * x)%Z :: plus_times c w' a'
  end.
Fixpoint bplus_times (c : Z) (w a : list (list Z)) : list (list Z) :=
  match w, a with
  | [], _ => a
  | _, [] => map (map (Z.mul c)) w
  | x :: w', y :: a' => plus_times c x y :: bplus_times c w' a'
  end.

(** [sum of c_i * row_i] as a bias and blocks. *)
Fixpoint gather (cs : list Z) (rs : list row) (b : Z) (acc : list (list Z)) : Z * list (list Z) :=
  match cs, rs with
  | c :: cs', r :: rs' =>
      if (c =? 0)%Z then gather cs' rs' b acc
      else gather cs' rs' (b + c * bias r)%Z (bplus_times c (blocks r) acc)
  | _, _ => (b, acc)
  end.

(** The sum of the negative coefficients, with the sign changed. *)
Fixpoint lack (cs : list Z) : Z :=
  match cs with [] => 0%Z | c :: cs' => (lack cs' + Z.max 0 (- c))%Z end.

(** What is known of a pre-activation y, over the denominator [over]: numbers [low <= over * y <= high], and at the
    corners of the box upper bounds of [- over * y] and of [over * y]; none where a list is empty. *)
Record known := { low : option Z; high : option Z; under : list Z; upper : list Z }.

(** The rise of a neuron: how far [r * y] can stay below [g * relu y] where [low <= y <= high]. As a function of y the
    difference is linear on both sides of 0, so it is largest at 0 or at an end. Any integer r will do. *)
Definition times (c : Z) (s : option Z) : option Z :=
  if (c =? 0)%Z then Some 0%Z else match s with Some b => Some (c * b)%Z | None => None end.
Definition sup (c : Z) (k : known) : option Z := times c (if (c <? 0)%Z then low k else high k).
Definition is_nonneg (s : option Z) : bool := match s with Some b => (0 <=? b)%Z | None => false end.
Definition is_nonpos (s : option Z) : bool := match s with Some b => (b <=? 0)%Z | None => false end.

Definition rise (g r : Z) (k : known) : option Z :=
  if is_nonneg (low k) then sup (g - r) k
  else if is_nonpos (high k) then sup (- r) k
  else match times (Z.min 0 (- r)) (low k), times (Z.max 0 (g - r)) (high k) with
       | Some a, Some b => Some (Z.max a b)
       | _, _ => None
       end.

(** The same corner by corner. *)
Fixpoint rises (r s : Z) (u o : list Z) : list Z :=
  match u, o with
  | a :: u', b :: o' => Z.max (r * a) (s * b) :: rises r s u' o'
  | _, _ => []
  end.
Definition sum (a : list Z) : Z := fold_left Z.add a 0%Z.
Definition cornered (g r : Z) (k : known) : bool :=
  match under k with
  | [] => false
  | _ => ((0 <=? r) && (r <=? g))%Z && Nat.eqb (length (under k)) (length (upper k))
         && negb (is_nonneg (low k)) && negb (is_nonpos (high k))
  end.

(** How the coefficients that replace those on outputs are chosen. Nothing depends on it but how good the bound is. *)
Record choice := {
  factor : Z;            (* of the whole form, so that they are integers *)
  coarse : bool;         (* the rounded rows of the layer are used *)
  interval : bool;       (* zeros: interval arithmetic *)
  grid : Z;              (* slopes in these units *)
  chord_grid : Z;        (* default slopes are multiples of its inverse *)
  above : list Z;        (* slopes of upper lines; negative or missing: the chord *)
  below : list Z;        (* of lower lines; negative or missing: what follows from the chord *)
  extra : list Z;        (* multipliers of pre-activations, *)
  extra_over : Z }.      (* over a denominator *)

Definition chord (k : known) (p : choice) : Z :=
  match high k, low k with
  | None, _ => grid p
  | Some _, None => 0%Z
  | Some h, Some l => (((h * chord_grid p) / (h - l)) * (grid p / chord_grid p))%Z
  end.
Definition slope (c : Z) (said : Z) (k : known) (p : choice) : Z :=
  if (0 <=? said)%Z then said
  else if (0 <? c)%Z then chord k p
  else Z.min (grid p) (Z.max 0 (4 * chord k p - 2 * grid p)).

Definition first (a : list Z) (default : Z) : Z := match a with [] => default | x :: _ => x end.

(** The new coefficient for a coefficient c; d: the denominator of the form. *)
Definition replaced (d c : Z) (a b e : Z) (k : known) (p : choice) : Z :=
  if (c =? 0)%Z && (e =? 0)%Z then 0%Z
  else if interval p then 0%Z
  else ((if is_nonneg (low k) then factor p * c
         else if is_nonpos (high k) then 0
         else (factor p * c * slope c (if 0 <? c then a else b) k p) / grid p)
        + (if e =? 0 then 0 else up (factor p * d * e) (extra_over p)))%Z.

(** Through the ReLUs of a layer: new coefficients, what is added to the constant, and at the corners. *)
Fixpoint sweep (d : Z) (p : choice) (cs aa bb ee : list Z) (ks : list known) (t : Z) (tc : list Z)
  : option (list Z * Z * list Z) :=
  match ks with
  | [] => Some ([], t, tc)
  | k :: ks' =>
      let c := first cs 0 in
      let r := replaced d c (first aa (-1)) (first bb (-1)) (first ee 0) k p in
      let go t tc := match sweep d p (tl cs) (tl aa) (tl bb) (tl ee) ks' t tc with
                     | Some (rs, t', tc') => Some (r :: rs, t', tc')
                     | None => None
                     end in
      if ((c =? 0) && (r =? 0))%Z then go t tc
      else match rise (factor p * c) r k with
      | Some h =>
          let g := (factor p * c)%Z in
          if cornered g r k then
            let hs := rises r (g - r) (under k) (upper k) in
            if (sum hs <? h * Z.of_nat (length hs))%Z then go t (plus hs tc) else go (t + h)%Z tc
          else go (t + h)%Z tc
      | None => 
          let g := (factor p * c)%Z in
          if cornered g r k then go t (plus (rises r (g - r) (under k) (upper k)) tc) else None
      end
  end.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.

Lemma dot_nil_r (a : list Z) : dot a ([] : list K) = 0.
Proof. now destruct a. Qed.

Lemma dot_plus (x : list K) : forall a b, dot (plus a b) x = dot a x + dot b x.
Proof.
  induction x as [| v x I]; intros a b; [rewrite !dot_nil_r; ring |].
  destruct a as [| c a], b as [| e b]; simpl; try ring. rewrite I, inj_add. ring.
Qed.

Lemma dot_map_times (c : Z) (x : list K) : forall a, dot (map (Z.mul c) a) x = inj c * dot a x.
Proof.
  induction x as [| v x I]; intros a; [rewrite !dot_nil_r; ring |].
  destruct a as [| e a]; simpl; [ring |]. rewrite I, inj_mul. ring.
Qed.

Lemma dot_scale (c : Z) a (x : list K) : dot (scale c a) x = inj c * dot a x.
Proof.
  unfold scale. destruct (c =? 1)%Z eqn:E; [apply Z.eqb_eq in E; subst; rewrite inj_1; ring | apply dot_map_times].
Qed.

Lemma bdot_nil_r (a : list (list Z)) : bdot a ([] : list (list K)) = 0.
Proof. now destruct a. Qed.

Lemma bdot_map_times (c : Z) (x : list (list K)) : forall a, bdot (map (map (Z.mul c)) a) x = inj c * bdot a x.
Proof.
  induction x as [| v x I]; intros a; [rewrite !bdot_nil_r; ring |].
  destruct a as [| e a]; simpl; [ring |]. rewrite I, dot_map_times. ring.
Qed.

Lemma bdot_scale (c : Z) a (x : list (list K)) : bdot (bscale c a) x = inj c * bdot a x.
Proof.
  unfold bscale. destruct (c =? 1)%Z eqn:E; [apply Z.eqb_eq in E; subst; rewrite inj_1; ring | apply bdot_map_times].
Qed.

Lemma bdot_plus (x : list (list K)) : forall a b, bdot (bplus a b) x = bdot a x + bdot b x.
Proof.
  induction x as [| v x I]; intros a b; [rewrite !bdot_nil_r; ring |].
  destruct a as [| c a], b as [| e b]; simpl; try ring. rewrite I, dot_plus. ring.
Qed.

Lemma dot_plus_times (c : Z) (x : list K) : forall w a, dot (plus_times c w a) x = inj c * dot w x + dot a x.
Proof.
  induction x as [| v x I]; intros w a; [rewrite !dot_nil_r; ring |].
  destruct w as [| y w], a as [| e a]; simpl; try ring.
  - rewrite dot_map_times, inj_mul. ring.
  - rewrite I, inj_add, inj_mul. ring.
Qed.

Lemma bdot_plus_times (c : Z) (x : list (list K)) : forall w a,
  bdot (bplus_times c w a) x = inj c * bdot w x + bdot a x.
Proof.
  induction x as [| v x I]; intros w a; [rewrite !bdot_nil_r; ring |].
  destruct w as [| y w], a as [| e a]; simpl; try ring.
  - rewrite dot_map_times, bdot_map_times. ring.
  - rewrite I, dot_plus_times. ring.
Qed.

Lemma gather_spec (before : list (list K)) : forall cs rs b acc b' acc', gather cs rs b acc = (b', acc') ->
  inj b' + bdot acc' before = inj b + bdot acc before + dot cs (map (fun r => numerator r before) rs).
Proof.
  induction cs as [| c cs I]; intros rs b acc b' acc' H; simpl in *; [inversion H; subst; ring |].
  destruct rs as [| r rs]; [inversion H; subst; simpl; ring |]. simpl.
  destruct (c =? 0)%Z eqn:E.
  - apply Z.eqb_eq in E; subst. rewrite (I _ _ _ _ _ H), inj_0. ring.
  - rewrite (I _ _ _ _ _ H). unfold numerator. rewrite bdot_plus_times, inj_add, inj_mul. ring.
Qed.

(** ** Through a ReLU *)

Definition holds (over : Z) (p : list K) (k : known) (y : K) : Prop :=
  (forall l, low k = Some l -> inj l <= inj over * y) /\
  (forall h, high k = Some h -> inj over * y <= inj h) /\
  (under k <> [] -> - (inj over * y) <= dot (under k) p) /\
  (upper k <> [] -> inj over * y <= dot (upper k) p).

Lemma times_high (c : Z) s t (a : K) : (0 <= c)%Z -> times c s = Some t ->
  (forall b, s = Some b -> a <= inj b) -> inj c * a <= inj t.
Proof.
  unfold times. intros P H I. destruct (c =? 0)%Z eqn:E.
  - apply Z.eqb_eq in E. inversion H; subst. rewrite inj_0. apply by_diff with 0; [apply le_refl | ring].
  - destruct s as [b |]; [| discriminate]. inversion H; subst. rewrite inj_mul. apply le_times; [now apply inj_nonneg |].
    now apply I.
Qed.

Lemma times_low (c : Z) s t (a : K) : (c <= 0)%Z -> times c s = Some t ->
  (forall b, s = Some b -> inj b <= a) -> inj c * a <= inj t.
Proof.
  unfold times. intros P H I. destruct (c =? 0)%Z eqn:E.
  - apply Z.eqb_eq in E. inversion H; subst. rewrite inj_0. apply by_diff with 0; [apply le_refl | ring].
  - destruct s as [b |]; [| discriminate]. inversion H; subst. rewrite inj_mul.
    apply by_diff with (inj (- c) * (a - inj b)).
    + apply le_mul; [apply inj_nonneg; lia | apply diff; now apply I].
    + rewrite inj_opp. ring.
Qed.

Lemma sup_spec over p k (y : K) c t : holds over p k y -> sup c k = Some t -> inj c * (inj over * y) <= inj t.
Proof.
  intros (L & H & _) E. unfold sup in E. destruct (c <? 0)%Z eqn:S.
  - apply Z.ltb_lt in S. apply (times_low c (low k)); trivial. lia.
  - apply Z.ltb_ge in S. now apply (times_high c (high k)).
Qed.

(** Either y >= 0 and relu y = y, or y <= 0 and relu y = 0; also after multiplication by a denominator. *)
Lemma sign_cases (over : Z) (y : K) : (0 < over)%Z ->
  (relu y = y /\ 0 <= inj over * y) \/ (relu y = 0 /\ inj over * y <= 0).
Proof.
  intros P. assert (Q : 0 <= (inj over : K)) by (apply inj_nonneg; lia).
  destruct (le_total K 0 y) as [H | H].
  - left. split; [now apply relu_pos | now apply le_mul].
  - right. split; [now apply relu_neg | apply opp_nonneg].
    replace (- (inj over * y)) with (inj over * - y) by ring. apply le_mul; trivial. now apply nonneg_opp.
Qed.

Lemma known_nonneg over p k (y : K) : (0 < over)%Z -> holds over p k y -> is_nonneg (low k) = true -> relu y = y.
Proof.
  intros P (L & _) E. unfold is_nonneg in E. destruct (low k) as [l |]; [| discriminate]. apply Z.leb_le in E.
  apply relu_pos. apply le_cancel with over; trivial.
  apply le_trans with (inj l); [| now apply L].
  replace (inj over * 0) with (inj 0 : K) by (rewrite inj_0; ring). now apply inj_le.
Qed.

Lemma known_nonpos over p k (y : K) : (0 < over)%Z -> holds over p k y -> is_nonpos (high k) = true -> relu y = 0.
Proof.
  intros P (_ & H & _) E. unfold is_nonpos in E. destruct (high k) as [h |]; [| discriminate]. apply Z.leb_le in E.
  apply relu_neg. apply le_cancel with over; trivial.
  apply le_trans with (inj h); [now apply H |].
  replace (inj over * 0) with (inj 0 : K) by (rewrite inj_0; ring). now apply inj_le.
Qed.

(** The rule of a ReLU. On a region where low <= y <= high, g * max(y, 0) - r * y is g y - r y for y >= 0 and - r y for
    y <= 0. A linear function is largest at an end; both pieces end at 0, where the difference is 0. So a form with
    g * v in it does not become smaller when r * y and the rise take its place. With r = g s this is the chord (v <= s y +
    max(- s low, (1 - s) high)), with g < 0 and r = g t the line below (v >= t y), with r = 0 interval arithmetic, and
    any more or less in r is the multiplier of a split. *)
Lemma rise_spec over p k (y : K) g r t : (0 < over)%Z -> holds over p k y -> rise g r k = Some t ->
  inj over * (inj g * relu y - inj r * y) <= inj t.
Proof.
  intros P H E. unfold rise in E.
  destruct (is_nonneg (low k)) eqn:N.
  { rewrite (known_nonneg over p k y) by trivial.
    replace (inj over * (inj g * y - inj r * y)) with (inj (g - r) * (inj over * y)) by (rewrite inj_sub; ring).
    now apply sup_spec with p k. }
  destruct (is_nonpos (high k)) eqn:M.
  { rewrite (known_nonpos over p k y) by trivial.
    replace (inj over * (inj g * 0 - inj r * y)) with (inj (- r) * (inj over * y)) by (rewrite inj_opp; ring).
    now apply sup_spec with p k. }
  destruct (times (Z.min 0 (- r)) (low k)) as [a |] eqn:A; [| discriminate].
  destruct (times (Z.max 0 (g - r)) (high k)) as [b |] eqn:B; [| discriminate].
  inversion E; subst; clear E. destruct H as (L & H & _).
  destruct (sign_cases over y P) as [[-> S] | [-> S]].
  - apply le_trans with (inj b); [| apply inj_le; lia].
    apply le_trans with (inj (Z.max 0 (g - r)) * (inj over * y)); [| apply (times_high _ (high k)); trivial; lia].
    apply by_diff with (inj (Z.max 0 (g - r) - (g - r)) * (inj over * y)).
    + apply le_mul; trivial. apply inj_nonneg. lia.
    + rewrite !inj_sub. ring.
  - apply le_trans with (inj a); [| apply inj_le; lia].
    apply le_trans with (inj (Z.min 0 (- r)) * (inj over * y)); [| apply (times_low _ (low k)); trivial; lia].
    apply by_diff with (inj (- r - Z.min 0 (- r)) * - (inj over * y)).
    + apply le_mul; [apply inj_nonneg; lia | now apply nonneg_opp].
    + rewrite !inj_sub, inj_opp. ring.
Qed.

Lemma rises_spec r s (p : list K) : Forall (le 0) p -> forall u o, length u = length o ->
  inj r * dot u p <= dot (rises r s u o) p /\ inj s * dot o p <= dot (rises r s u o) p.
Proof.
  induction 1 as [| w p W _ I]; intros u o E.
  - rewrite !dot_nil_r. split; apply by_diff with 0; try apply le_refl; ring.
  - destruct u as [| a u], o as [| b o]; try discriminate; simpl.
    + split; apply by_diff with 0; try apply le_refl; ring.
    + inversion E as [E']. destruct (I u o E') as [I1 I2]. split.
      * apply by_diff with (inj (Z.max (r * a) (s * b) - r * a) * w + (dot (rises r s u o) p - inj r * dot u p)).
        { apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | now apply diff]. }
        rewrite inj_sub, inj_mul. ring.
      * apply by_diff with (inj (Z.max (r * a) (s * b) - s * b) * w + (dot (rises r s u o) p - inj s * dot o p)).
        { apply nonneg_add; [apply le_mul; trivial; apply inj_nonneg; lia | now apply diff]. }
        rewrite inj_sub, inj_mul. ring.
Qed.

(** The rule of a ReLU at corners: let the means of u and of o over the corners be upper bounds of - y and of y. For y >= 0
    the difference is (g - r) y, at most the mean of (g - r) o; for y <= 0 it is - r y, at most the mean of r u. The
    larger number at each corner is good for both. *)
Lemma cornered_spec over p k (y : K) g r : (0 < over)%Z -> Forall (le 0) p -> holds over p k y ->
  cornered g r k = true ->
  inj over * (inj g * relu y - inj r * y) <= dot (rises r (g - r) (under k) (upper k)) p.
Proof.
  intros P W (_ & _ & U & O) E. unfold cornered in E.
  destruct (under k) as [| u us] eqn:EU; [discriminate |]. rewrite <- EU in *.
  rewrite !andb_true_iff in E. destruct E as ((((R & S) & N) & _) & _).
  apply Z.leb_le in R. apply Z.leb_le in S. apply Nat.eqb_eq in N.
  assert (U' : under k <> []) by (rewrite EU; discriminate).
  assert (O' : upper k <> []) by (intros E; rewrite E, EU in N; discriminate).
  destruct (rises_spec r (g - r) p W (under k) (upper k) N) as [I1 I2].
  destruct (sign_cases over y P) as [[-> _] | [-> _]].
  - apply le_trans with (inj (g - r) * dot (upper k) p); trivial.
    replace (inj over * (inj g * y - inj r * y)) with (inj (g - r) * (inj over * y)) by (rewrite inj_sub; ring).
    apply le_times; [apply inj_nonneg; lia | now apply O].
  - apply le_trans with (inj r * dot (under k) p); trivial.
    replace (inj over * (inj g * 0 - inj r * y)) with (inj r * - (inj over * y)) by ring.
    apply le_times; [now apply inj_nonneg | now apply U].
Qed.

Lemma dot_first (c : list Z) (a : K) x : dot c (a :: x) = inj (first c 0) * a + dot (tl c) x.
Proof. destruct c; simpl; [rewrite inj_0; ring | reflexivity]. Qed.

(** Through the ReLUs of a layer: neuron by neuron, each with the rule that gives less; a rise goes to the constant or, at
    the corners, to the numbers there. *)
Lemma sweep_spec over p d (q : choice) : (0 < over)%Z -> Forall (le (0 : K)) p ->
  forall ks ys, Forall2 (holds over p) ks ys ->
  forall cs aa bb ee t tc rs t' tc', sweep d q cs aa bb ee ks t tc = Some (rs, t', tc') ->
  inj over * (inj (factor q) * dot cs (map relu ys)) + inj t + dot tc p
  <= inj over * dot rs ys + inj t' + dot tc' p.
Proof.
  intros P W. induction 1 as [| k y ks ys H _ I]; intros cs aa bb ee t tc rs t' tc' E.
  { simpl in E. inversion E; subst. simpl. rewrite dot_nil_r. apply by_diff with 0; [apply le_refl | ring]. }
  cbn [sweep] in E. cbv zeta in E.
  set (c := first cs 0%Z) in *. set (r := replaced _ _ _ _ _ _ _) in E.
  cbn [map]. rewrite dot_first. fold c.
  assert (Go : forall t1 tc1,
    match sweep d q (tl cs) (tl aa) (tl bb) (tl ee) ks t1 tc1 with
    | Some (rs, t', tc') => Some (r :: rs, t', tc') | None => None end = Some (rs, t', tc') ->
    inj over * (inj (factor q) * dot (tl cs) (map relu ys)) + inj t1 + dot tc1 p
    <= inj over * dot rs (y :: ys) - inj over * (inj r * y) + inj t' + dot tc' p).
  { intros t1 tc1 G. destruct (sweep d q (tl cs) (tl aa) (tl bb) (tl ee) ks t1 tc1) as [[[rs1 t2] tc2] |] eqn:S; [| discriminate].
    inversion G; subst. specialize (I _ _ _ _ _ _ _ _ _ S). eapply le_trans; [exact I |].
    apply by_diff with 0; [apply le_refl |]. simpl. ring. }
  assert (Step : forall t1 tc1, inj over * (inj (factor q * c) * relu y - inj r * y) + inj t + dot tc p <= inj t1 + dot tc1 p ->
    match sweep d q (tl cs) (tl aa) (tl bb) (tl ee) ks t1 tc1 with
    | Some (rs, t', tc') => Some (r :: rs, t', tc') | None => None end = Some (rs, t', tc') ->
    inj over * (inj (factor q) * (inj c * relu y + dot (tl cs) (map relu ys))) + inj t + dot tc p
    <= inj over * dot rs (y :: ys) + inj t' + dot tc' p).
  { intros t1 tc1 A G. specialize (Go _ _ G). rewrite inj_mul in A.
    apply diff in A. apply diff in Go. pose proof (nonneg_add _ _ A Go) as S.
    eapply by_diff; [exact S | ring]. }
  clear Go.
  destruct ((c =? 0) && (r =? 0))%Z eqn:Z0.
  { apply andb_true_iff in Z0. destruct Z0 as [C0 R0]. apply Z.eqb_eq in C0. apply Z.eqb_eq in R0.
    apply (Step t tc); [| exact E]. rewrite R0, C0, Z.mul_0_r, inj_0. apply by_diff with 0; [apply le_refl | ring]. }
  assert (Corner : cornered (factor q * c) r k = true ->
    inj over * (inj (factor q * c) * relu y - inj r * y) + inj t + dot tc p
    <= inj t + dot (plus (rises r (factor q * c - r) (under k) (upper k)) tc) p).
  { intros C. pose proof (cornered_spec over p k y _ _ P W H C) as S.
    eapply le_trans; [apply le_plus; [apply le_plus; [exact S | apply le_refl] | apply le_refl] |].
    apply by_diff with 0; [apply le_refl |]. rewrite dot_plus. ring. }
  destruct (rise (factor q * c) r k) as [h |] eqn:R.
  - assert (Plain : inj over * (inj (factor q * c) * relu y - inj r * y) + inj t + dot tc p <= inj (t + h) + dot tc p).
    { pose proof (rise_spec over p k y _ _ _ P H R) as S.
      eapply le_trans; [apply le_plus; [apply le_plus; [exact S | apply le_refl] | apply le_refl] |].
      apply by_diff with 0; [apply le_refl |]. rewrite inj_add. ring. }
    destruct (cornered (factor q * c) r k) eqn:C.
    + destruct (sum _ <? _)%Z; [apply (Step _ _ (Corner eq_refl)); exact E | apply (Step _ _ Plain); exact E].
    + apply (Step _ _ Plain); exact E.
  - destruct (cornered (factor q * c) r k) eqn:C; [| discriminate].
    apply (Step _ _ (Corner eq_refl)); exact E.
Qed.

End Sound.

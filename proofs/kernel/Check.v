(** The kernel: one function over the integers, and the theorem that what it accepts holds. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Back Region Sound Points Rays.
Import ListNotations.

(** ** Claims *)

Inductive evidence :=
  | Point (p : point)
  | Ray (p r : point)   (* a point, and a direction from there *)
  | Walk   (* of all points of a list *)
  | Tree (t : tree).   (* from the root on *)

(** Layers with their rounded rows, where some are wanted, over these denominators. *)
Definition widest (l : layer) : nat := fold_left (fun n r => Nat.max n (length (hd [] (blocks r)))) (rows l) O.
Fixpoint prepare (net : network) (fines : list (option Z)) : option (list prepared) :=
  match net with
  | [] => Some []
  | l :: earlier =>
      match prepare earlier (tl fines) with
      | Some ps =>
          if (0 <? denominator l)%Z then
            match hd None fines, earlier with
            | Some e, _ :: _ =>
                if (0 <? e)%Z then
                  match round_rows e (denominator l) (widest l) (rows l) with
                  | Some found => Some ((l, Some {| fine := e; width := widest l; fine_rows := found |}) :: ps)
                  | None => Some ((l, None) :: ps)
                  end
                else None
            | _, _ => Some ((l, None) :: ps)
            end
          else None
      | None => None
      end
  end.

Definition unknown : known := {| low := None; high := None; under := []; upper := [] |}.
Definition nothing_about (ps : list prepared) : list (Z * list known) :=
  map (fun p => (1%Z, repeat unknown (length (rows (fst p))))) ps.
Definition negative (r : Z * list Z) : Z * list Z := ((- fst r)%Z, map Z.opp (snd r)).

(** The whole set as a region. *)
Definition whole (ps : list prepared) (s : domain) (corners : bool) : option (setting * region) :=
  match s with
  | Rows o lo hi ineqs eqs =>
      if (0 <? o)%Z then
        Some ({| net := ps; cornered_box := corners; generators := None |},
              {| over_x := o; lows := lo; highs := hi; facts := ineqs ++ eqs ++ map negative eqs;
                 about := nothing_about ps |})
      else None
  | Generated o vs rs ls =>
      if (0 <? o)%Z then
        Some ({| net := ps; cornered_box := false; generators := Some (vs, rs, ls) |},
              {| over_x := o; lows := repeat None (length (hd [] vs)); highs := []; facts := [];
                 about := nothing_about ps |})
      else None
  | Listed _ _ => None
  end.

Definition rounded_of (ps : list prepared) (k : nat) : option rounded :=
  match nth_error ps k with Some (_, a) => a | None => None end.

(** What is derived once on the whole set; every tree begins there. *)
Definition root (ps : list prepared) (s : domain) (corners : bool) (gs : list derivation) : option (setting * region) :=
  match whole ps s corners with
  | Some (g, r) => match derive_all g r gs with Some r' => Some (g, r') | None => None end
  | None => None
  end.

Definition judge (ps : list prepared) (s : domain) (start_at : option (setting * region)) (c : statement) (e : evidence)
  : bool :=
  match c, e with
  | Below k i sign n d, Tree t =>
      if (0 <? d)%Z then
        match skipn k (nets ps), start_at with
        | l :: _, Some (g, r) =>
            match nth_error (rows l) i with
            | Some w =>
                let others := match rounded_of ps k with Some f => skipn i (fine_rows f) | None => [] end in
                proves g {| plain := start l k w sign; fast := start_of l (rounded_of ps k) others k w sign;
                            t_n := n; t_d := d |} r t
            | None => false
            end
        | _, _ => false
        end
      else false
  | Below k i sign n d, Walk =>
      match s with
      | Listed o points =>
          (0 <? d)%Z &&
          forallb (fun p => match zneuron (nets ps) k i o p with
                            | Some (y, e) => ((if sign then y else - y) * d <=? n * e)%Z
                            | None => false
                            end) points
      | _ => false
      end
  | Positive k i, Point p =>
      match located s p with
      | Some (d, x) => match zneuron (nets ps) k i d x with Some (y, _) => (0 <? y)%Z | None => false end
      | None => false
      end
  | Attains k i n d, Point p =>
      match located s p with
      | Some (e, x) => match zneuron (nets ps) k i e x with Some (y, f) => (d * y =? n * f)%Z | None => false end
      | None => false
      end
  | Unbounded k i, Ray p r =>
      match located s p, recedes s r with
      | Some _, Some (d, x) =>
          match zneuron (homogeneous (nets ps)) k i d x with Some (y, _) => (0 <? y)%Z | None => false end
      | _, _ => false
      end
  | _, _ => false
  end.

(** A certificate: denominators of rounded rows, whether corners are looked at, what is derived on the whole set, and
    statements with their evidence. *)
Record certificate := {
  fines : list (option Z); corners_wanted : bool; derived : list derivation; claims : list (statement * evidence) }.

Definition check (net : network) (s : domain) (c : certificate) : bool :=
  domain_ok s &&
  match prepare net (fines c) with
  | Some ps => let start_at := root ps s (corners_wanted c) (derived c) in
               forallb (fun e => judge ps s start_at (fst e) (snd e)) (claims c)
  | None => false
  end.

Section Sound.
Context {K : field}.
Add Ring ring_of_field : (laws K).
Open Scope field_scope.

Lemma prepare_spec : forall net fines ps, prepare net fines = Some ps -> nets ps = net /\ prepared_ok ps.
Proof.
  induction net as [| l earlier I]; intros fines ps E; simpl in E; [inversion E; now split |].
  destruct (prepare earlier (tl fines)) as [qs |] eqn:Q; [| discriminate]. destruct (I _ _ Q) as [<- O].
  destruct (0 <? denominator l)%Z eqn:P; [| discriminate]. apply Z.ltb_lt in P.
  assert (Plain : Some ((l, None) :: qs) = Some ps -> nets ps = l :: nets qs /\ prepared_ok ps).
  { intros F. inversion F; subst. split; [reflexivity |]. simpl. repeat split; trivial. }
  destruct (hd None fines) as [e |]; [| now apply Plain]. destruct (nets qs) as [| l' earlier] eqn:Q'; [now apply Plain |]. rewrite <- Q' in *.
  destruct (0 <? e)%Z eqn:Pe; [| discriminate]. apply Z.ltb_lt in Pe.
  destruct (round_rows _ _ _ _) as [found |] eqn:R; [| now apply Plain].
  inversion E; subst. split; [reflexivity |]. simpl. repeat split; trivial.
  intros ->. discriminate.
Qed.

(** ** Trees prove upper bounds *)

Definition begins (s : setting) (t : target) x (a : K) : Prop :=
  forall p, form_holds p (plain t) (values (nets (net s)) x) a /\ form_holds p (fast t) (values (nets (net s)) x) a.

(** A leaf: the mean of numbers that are all at most n/d is at most n/d. *)
Lemma leaf_spec s r x t cs e a : prepared_ok (net s) -> reached s r x -> (0 < t_d t)%Z -> begins s t x a ->
  leaf_ok s r t cs e = true -> inj (t_d t) * a <= inj (t_n t).
Proof.
  intros O (p & H) Pd B E. unfold leaf_ok in E.
  destruct (bound _ _ _ _ _) as [[D bs] |] eqn:G in E; [| discriminate].
  assert (F : form_holds p (if from_rounded e then fast t else plain t) (values (nets (net s)) x) a).
  { destruct (from_rounded e); apply B. }
  destruct (bound_spec s r x p cs e _ D bs a O H F G) as (PD & L & M). clear F G.
  destruct H as (_ & (W & T & _) & _). cbv zeta in E.
  assert (F : Forall (fun b => (b <= t_n t * D)%Z) (map (Z.mul (t_d t)) bs)).
  { apply Forall_map, Forall_forall. intros b Ib. rewrite forallb_forall in E. specialize (E b Ib).
    apply Z.leb_le in E. lia. }
  assert (G : dot (map (Z.mul (t_d t)) bs) p <= inj (t_n t * D) * total p).
  { apply dot_le_total; trivial. now rewrite map_length. }
  rewrite T, dot_map_times, inj_mul in G. apply diff in G. apply diff in M.
  assert (Q : 0 <= (inj (t_d t) : K)) by (apply inj_nonneg; lia).
  apply le_cancel with D; trivial.
  eapply by_diff; [apply (nonneg_add _ _ G (le_mul K _ _ Q M)) | ring].
Qed.

(** A tree: a point of the region is in one of the parts, and there, by induction, below the bound. *)
Lemma proves_spec s x t a : prepared_ok (net s) -> (0 < t_d t)%Z -> begins s t x a -> forall u r,
  proves s t r u = true -> reached s r x -> inj (t_d t) * a <= inj (t_n t).
Proof.
  intros O Pd B. induction u as [gs cs e | gs c below IA above IB]; intros r E (p & H); simpl in E.
  - destruct (derive_all s r gs) as [r' |] eqn:D; [| discriminate].
    pose proof (derive_all_spec s x p O gs r r' H D) as H'.
    destruct (leaf_ok _ _ _ _ _) eqn:L.
    + apply (leaf_spec s r' x t cs e a); trivial. now exists p.
    + exfalso. apply (contradictory_spec s r' x); trivial. now exists p.
  - destruct (derive_all s r gs) as [r' |] eqn:D; [| discriminate].
    pose proof (derive_all_spec s x p O gs r r' H D) as H'.
    apply andb_true_iff in E. destruct E as [EA EB].
    destruct (cut_spec s r' c x) as [C | C]; [now exists p | now apply (IA _ EA) | now apply (IB _ EB)].
Qed.

Lemma nothing_holds p x : forall ps, about_hold p ps (nothing_about ps) (x : list K).
Proof.
  induction ps as [| [l a] ps I]; simpl; trivial. split; [lia |]. split; trivial.
  unfold pre. generalize (rows l). induction l0 as [| w ws J]; simpl; constructor; trivial.
  split; [discriminate |]. split; [discriminate |]. split; simpl; congruence.
Qed.

Lemma whole_spec ps s corners g r x : whole ps s corners = Some (g, r) -> member s (x : list K) ->
  net g = ps /\ reached g r x.
Proof.
  intros E (L & M). unfold whole in E. destruct s as [o lo hi ineqs eqs | o vs rs ls | o points]; [| | discriminate].
  - destruct (0 <? o)%Z eqn:P; [| discriminate]. apply Z.ltb_lt in P.
    inversion E; subst g r; clear E. split; [reflexivity |].
    destruct M as (Lo & Hi & In & Eq).
    assert (I : inside_region {| net := ps; cornered_box := corners; generators := None |}
      {| over_x := o; lows := lo; highs := hi; facts := ineqs ++ eqs ++ map negative eqs; about := nothing_about ps |} x).
    { unfold inside_region. simpl. split; trivial. split; [split; trivial |].
      apply Forall_app. split; trivial. apply Forall_app. split.
      - eapply Forall_impl; [| exact Eq]. intros q Z. rewrite Z. apply le_refl.
      - apply Forall_map. eapply Forall_impl; [| exact Eq]. intros q Z. unfold at_row, negative in *. simpl.
        rewrite dot_opp, inj_opp. replace (- inj (fst q) + - dot (snd q) x) with (- (inj (fst q) + dot (snd q) x)) by ring.
        rewrite Z. replace (- 0) with (0 : K) by ring. apply le_refl. }
    destruct (good_exists _ _ _ I) as [p G]. exists p. split; [exact I | split; [exact G | apply nothing_holds]].
  - destruct (0 <? o)%Z eqn:P; [| discriminate]. apply Z.ltb_lt in P. inversion E; subst g r; clear E.
    split; [reflexivity |]. simpl in L.
    assert (I : inside_region {| net := ps; cornered_box := false; generators := Some (vs, rs, ls) |}
      {| over_x := o; lows := repeat None (length (hd [] vs)); highs := []; facts := []; about := nothing_about ps |} x).
    { unfold inside_region. simpl. split; trivial. rewrite repeat_length. split; [split; trivial | constructor]. }
    destruct (good_exists _ _ _ I) as [p G]. exists p. split; [exact I | split; [exact G | apply nothing_holds]].
Qed.

Lemma root_spec ps s corners gs g r x : prepared_ok ps -> root ps s corners gs = Some (g, r) -> member s (x : list K) ->
  net g = ps /\ reached g r x.
Proof.
  intros O E M. unfold root in E. destruct (whole ps s corners) as [[g' r'] |] eqn:W; [| discriminate].
  destruct (derive_all g' r' gs) as [r1 |] eqn:D; [| discriminate]. inversion E; subst g' r1; clear E.
  destruct (whole_spec ps s corners g r' x W M) as [<- (p & H)]. split; trivial.
  exists p. now apply (derive_all_spec g x p O gs r' r).
Qed.

(** ** The theorem *)

Lemma prepared_layers : forall ps, prepared_ok ps -> layers_ok (nets ps).
Proof. induction ps as [| [l a] ps I]; simpl; trivial. intros (P & _ & O). split; trivial. now apply I. Qed.


Lemma judge_spec ps s corners gs c e : prepared_ok ps -> domain_ok s = true ->
  judge ps s (root ps s corners gs) c e = true -> means K (nets ps) s c.
Proof.
  intros O D E. unfold judge in E.
  destruct c as [k i sign n d | k i | k i n d | k i]; destruct e as [p | p q | | t]; try discriminate.
  - destruct s as [| | o points]; try discriminate. simpl in D. apply Z.ltb_lt in D.
    apply andb_true_iff in E. destruct E as [Pd E]. apply Z.ltb_lt in Pd.
    intros x a (_ & p & Ip & Hp) A. rewrite forallb_forall in E. specialize (E p Ip).
    destruct (zneuron (nets ps) k i o p) as [[y e] |] eqn:Z; [| discriminate]. apply Z.leb_le in E.
    destruct (zneuron_spec (K := K) (nets ps) k i o p x y e D Hp (prepared_layers ps O) Z) as (a' & A' & Pe & Sa).
    assert (a' = a) as ->.
    { destruct A as (l1 & e1 & S1 & A1), A' as (l2 & e2 & S2 & A2). rewrite S1 in S2. inversion S2; subst. congruence. }
    apply le_cancel with e; trivial. unfold same in Sa.
    rewrite <- inj_mul. eapply le_trans; [| apply inj_le; rewrite Z.mul_comm; exact E]. apply le_eq.
    destruct sign; rewrite inj_mul, ?inj_opp, <- Sa; ring.
  - destruct (0 <? d)%Z eqn:Pd; [| discriminate]. apply Z.ltb_lt in Pd.
    destruct (skipn k (nets ps)) as [| l earlier] eqn:S; [discriminate |].
    destruct (root ps s corners gs) as [[g r] |] eqn:W; [| discriminate].
    destruct (nth_error (rows l) i) as [w |] eqn:R; [| discriminate].
    intros x a M (l' & earlier' & S' & A). rewrite S in S'. inversion S'; subst l' earlier'.
    unfold pre in A. rewrite nth_error_map, R in A. simpl in A. inversion A; subst a; clear A.
    destruct (root_spec ps s corners gs g r x O W M) as [G H].
    pose proof (layers_ok_skip (nets ps) k (prepared_layers ps O)) as Ok.
    rewrite S in Ok. destruct Ok as [Pl _].
    assert (Sg : skipn k (nets (net g)) = l :: earlier) by (rewrite G; exact S).
    match type of E with proves _ ?u _ _ = true => set (tg := u) in E end.
    change d with (t_d tg). change n with (t_n tg).
    change (inv (inj (denominator l)) * numerator w (values earlier x)) with (z_of l w (values earlier x)).
    apply (proves_spec g x tg (signed sign (z_of l w (values earlier x)))) with (u := t) (r := r); trivial;
      [now rewrite G |].
    intros q. split; [now apply start_spec |]. unfold tg. cbn [fast].
    unfold rounded_of. destruct (nth_error ps k) as [[l' [f |]] |] eqn:Nk;
      [| exact (start_spec (nets (net g)) l k w sign x q earlier Sg Pl)
       | exact (start_spec (nets (net g)) l k w sign x q earlier Sg Pl)].
    pose proof (nets_skip _ _ _ _ Nk) as Sk. rewrite S in Sk. injection Sk as El He. subst l'. change (earlier = nets (skipn (Datatypes.S k) ps)) in He.
    pose proof (prepared_near x ps k l f O Nk) as (Pf & v & rest & V & Near).
    destruct (skipn i (fine_rows f)) as [| w' others] eqn:Sf;
      [exact (start_spec (nets (net g)) l k w sign x q earlier Sg Pl) |]. cbn [start_of].
    rewrite <- He in V, Near.
    apply (start_rounded_spec f (nets (net g)) l k w' sign x q earlier (z_of l w (values earlier x)) v rest); trivial.
    revert Near R Sf. unfold pre. generalize (rows l) (fine_rows f). clear. revert i.
    induction i as [| i I]; intros ws fs Near R Sf.
    + destruct ws as [| w0 ws]; [discriminate |]. simpl in *. inversion R; subst w0; clear R. subst fs. now inversion Near.
    + destruct ws as [| w0 ws]; [discriminate |]. destruct fs as [| f0 fs]; [discriminate |]. simpl in *.
      inversion Near; subst. now apply (I ws fs).
  - destruct (located s p) as [[d x] |] eqn:L; [| discriminate].
    destruct (zneuron (nets ps) k i d x) as [[y e] |] eqn:Z; [| discriminate]. apply Z.ltb_lt in E.
    destruct (located_spec (K := K) s p d x D L) as [Pd M].
    destruct (zneuron_spec (K := K) (nets ps) k i d x (map (fun a => frac a d) x) y e) as (a & A & Pe & Sa); trivial.
    { now apply same_frac. } { now apply prepared_layers. }
    exists (map (fun a => frac a d) x), a. split; trivial. split; trivial. split.
    + apply le_cancel with e; trivial. rewrite Sa. replace (inj e * 0) with (0 : K) by ring. apply inj_nonneg. lia.
    + intros ->. apply (inj_pos_distinct (K := K) y); [lia |]. rewrite <- Sa. ring.
  - destruct (located s p) as [[f x] |] eqn:L; [| discriminate].
    destruct (zneuron (nets ps) k i f x) as [[y e] |] eqn:Z; [| discriminate]. apply Z.eqb_eq in E.
    destruct (located_spec (K := K) s p f x D L) as [Pd M].
    destruct (zneuron_spec (K := K) (nets ps) k i f x (map (fun a => frac a f) x) y e) as (a & A & Pe & Sa); trivial.
    { now apply same_frac. } { now apply prepared_layers. }
    exists (map (fun a => frac a f) x), a. split; trivial. split; trivial.
    apply inj_eq_cancel with e; trivial. transitivity (inj d * (inj e * a)); [ring |]. rewrite Sa.
    rewrite <- !inj_mul. f_equal. lia.
  - destruct (located s p) as [[d0 x0] |] eqn:L; [| discriminate].
    destruct (recedes s q) as [[d x] |] eqn:R; [| discriminate].
    destruct (zneuron (homogeneous (nets ps)) k i d x) as [[y e] |] eqn:Z; [| discriminate]. apply Z.ltb_lt in E.
    destruct (located_spec (K := K) s p d0 x0 D L) as [_ M].
    exact (unbounded_spec (nets ps) s k i _ q d x y e (prepared_layers ps O) D M R Z E).
Qed.

End Sound.

(** Everything accepted holds, for points with coordinates in any ordered field. *)
Theorem check_sound net s c : check net s c = true ->
  forall K statement e, In (statement, e) (claims c) -> means K net s statement.
Proof.
  intros E K t e I. unfold check in E. apply andb_true_iff in E. destruct E as [D E].
  destruct (prepare net (fines c)) as [ps |] eqn:P; [| discriminate].
  destruct (prepare_spec net (fines c) ps P) as [<- O]. cbv zeta in E.
  rewrite forallb_forall in E. specialize (E (t, e) I). now apply (judge_spec ps s (corners_wanted c) (derived c) t e).
Qed.

Print Assumptions check_sound.

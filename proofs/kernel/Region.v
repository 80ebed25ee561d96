(** Regions: what is known of the points of a part of the set, and how it is put to use. *)

From Coq Require Import ZArith List Lia Ring Bool.
From Kernel Require Import Field Spec Forms Back.
Import ListNotations.

Definition prepared : Type := layer * option rounded.
Definition nets (ns : list prepared) : network := map fst ns.

(** What stays the same in a proof: the layers, and how the set is given; [cornered_box]: are corners looked at? *)
Record setting := {
  net : list prepared;
  cornered_box : bool;
  generators : option (list (list Z) * list (list Z) * list (list Z)) }.

Record region := {
  over_x : Z; lows : list (option Z); highs : list (option Z);   (* the box *)
  facts : list (Z * list Z);                                     (* rows >= 0 *)
  about : list (Z * list known) }.                               (* the pre-activations of each layer *)

(** ** The largest values of an affine form of the inputs *)

(** At each corner of the box; sides that do not move have only one. *)
Fixpoint corner_ends (c : list Z) (lo hi : list (option Z)) (acc : Z) : option (list Z) :=
  match lo, hi with
  | Some l :: lo', Some h :: hi' =>
      let c0 := first c 0%Z in
      if (l =? h)%Z then corner_ends (tl c) lo' hi' (acc + c0 * l)
      else match corner_ends (tl c) lo' hi' (acc + c0 * l), corner_ends (tl c) lo' hi' (acc + c0 * h) with
           | Some a, Some b => Some (a ++ b)
           | _, _ => None
           end
  | [], [] => Some [acc]
  | _, _ => None
  end.

(** Of the whole box. *)
Fixpoint box_end (c : list Z) (lo hi : list (option Z)) (acc : Z) : option Z :=
  match c, lo, hi with
  | w :: c', l :: lo', h :: hi' =>
      match times w (if (w <? 0)%Z then l else h) with
      | Some t => box_end c' lo' hi' (acc + t)
      | None => None
      end
  | _, _, _ => Some acc
  end.

(** Of a set given by generators. *)
Fixpoint at_generator (j : nat) (c v : list Z) : Z :=
  match c with [] => 0%Z | w :: c' => (w * nth j v 0 + at_generator (S j) c' v)%Z end.
Definition largest (a : list Z) : Z := fold_left Z.max (tl a) (hd 0%Z a).
Definition hull_end (c : list Z) (vertices rays lines : list (list Z)) : option Z :=
  if forallb (fun r => at_generator 0 c r <=? 0)%Z rays && forallb (fun r => at_generator 0 c r =? 0)%Z lines
  then Some (largest (map (at_generator 0 c) vertices)) else None.

Definition ends (s : setting) (r : region) (c : list Z) : option (list Z) :=
  match generators s with
  | Some (vertices, rays, lines) =>
      if (length c <=? length (lows r))%nat
      then match hull_end c vertices rays lines with Some t => Some [t] | None => None end else None
  | None =>
      if cornered_box s then corner_ends c (lows r) (highs r) 0
      else match box_end c (lows r) (highs r) 0 with Some t => Some [t] | None => None end
  end.

(** ** A bound of a neuron *)

(** Multipliers of facts, over a denominator, after the form was multiplied by [times_form]. *)
Record finish := {
  times_form : Z; multipliers : list (nat * Z); multipliers_over : Z;
  from_rounded : bool }.   (* begin with the rounded row of the neuron *)

Fixpoint add_facts (fs : list (Z * list Z)) (scale over : Z) (ms : list (nat * Z)) (b : Z) (c : list Z) : Z * list Z :=
  match ms with
  | [] => (b, c)
  | (i, n) :: ms' =>
      match nth_error fs i with
      | Some (fb, fc) =>
          let m := Z.max 0 (up (scale * n) over) in
          add_facts fs scale over ms' (b + m * fb)%Z (plus_times m fc c)
      | None => add_facts fs scale over ms' b c
      end
  end.

(** [bound * z <= numbers] in the mean of the corners. *)
Definition finished (s : setting) (r : region) (f : form) (e : finish) : option (Z * list Z) :=
  let q := times_form e in
  if (0 <? q)%Z then
    let '(b, c) := match multipliers e with
                   | [] => (0%Z, hd [] (bl_ f))
                   | ms => add_facts (facts r) (d_ f * q) (multipliers_over e) ms 0 (scale q (hd [] (bl_ f)))
                   end in
    let q := match multipliers e with [] => 1%Z | _ => q end in
    match ends s r c with
    | Some l =>
        let k := (q * k_ f + m_ f * b)%Z in
        Some ((over_x r * m_ f * (q * d_ f))%Z,
              plus (map (fun a => (m_ f * a + over_x r * k)%Z) l) (scale (over_x r * q) (t_ f)))
    | None => None
    end
  else None.

Definition default_choice : choice :=
  {| factor := 1; coarse := false; interval := true; grid := 1; chord_grid := 1; above := []; below := []; extra := [];
     extra_over := 1 |}.

Fixpoint stages (net : list prepared) (about : list (Z * list known)) (cs : list choice) : list stage :=
  match net, about with
  | (l, a) :: net', (o, ks) :: about' =>
      let c := hd default_choice cs in
      {| exact := l; approx := if coarse c then a else None; over := o; knowns := ks; how := c |}
      :: stages net' about' (tl cs)
  | _, _ => []
  end.

(** The form of a row of layer k, or of its negative. *)
Definition start (l : layer) (k : nat) (r : row) (sign : bool) : form :=
  let s := if sign then 1%Z else (-1)%Z in
  {| d_ := denominator l; m_ := 1; k_ := s * bias r; t_ := []; bl_ := repeat [] (S k) ++ bscale s (blocks r) |}.

(** The same of its rounded row: [fine z <= w'.v + b'], and [- fine z <= 1 - b' + (1 - w').v]. *)
Definition start_rounded (a : rounded) (k : nat) (w : row) (sign : bool) : form :=
  {| d_ := fine a; m_ := 1; k_ := if sign then bias w else 1 - bias w; t_ := [];
     bl_ := repeat [] (S k) ++ [if sign then hd [] (blocks w)
                                else plus (repeat 1%Z (width a)) (map Z.opp (hd [] (blocks w)))] |}.

(** [others]: the rounded rows of the layer from this neuron on, if they are to be used. *)
Definition start_of (l : layer) (a : option rounded) (others : list row) (k : nat) (w : row) (sign : bool) : form :=
  match a, others with Some f, v :: _ => start_rounded f k v sign | _, _ => start l k w sign end.

Definition bound (s : setting) (r : region) (ss : list stage) (e : finish) (f : form) : option (Z * list Z) :=
  match back ss f with Some g => finished s r g e | None => None end.

(** ** Derived bounds *)

Definition restated (o o' : Z) (k : known) : known :=
  if (o =? o')%Z then k else
  {| low := option_map (fun a => down (a * o') o) (low k); high := option_map (fun a => up (a * o') o) (high k);
     under := map (fun a => up (a * o') o) (under k); upper := map (fun a => up (a * o') o) (upper k) |}.

Definition more_low (a : option Z) (b : Z) : option Z := Some match a with Some c => Z.max c b | None => b end.
Definition less_high (a : option Z) (b : Z) : option Z := Some match a with Some c => Z.min c b | None => b end.

Definition with_upper (corners : bool) (o : Z) (found : option (Z * list Z)) (k : known) : known :=
  match found with
  | Some (d, l) =>
      let l' := map (fun a => up (a * o) d) l in
      {| low := low k; high := less_high (high k) (largest l'); under := under k;
         upper := if corners then l' else upper k |}
  | None => k
  end.

Definition with_lower (corners : bool) (o : Z) (found : option (Z * list Z)) (k : known) : known :=
  match found with
  | Some (d, l) =>
      let l' := map (fun a => up (a * o) d) l in
      {| low := more_low (low k) (- largest l'); high := high k; under := if corners then l' else under k;
         upper := upper k |}
  | None => k
  end.

(** Of layer k: bounds of the neurons that are chosen (missing: all), or of those of them whose sign is open. *)
Record derivation := {
  at_layer : nat; chosen : list bool; only_open : bool; lower_side : bool; upper_side : bool;
  new_over : option Z; choices : list choice; end_of : finish }.

Definition found_pair : Type := option (Z * list Z) * option (Z * list Z).

Fixpoint find_all (s : setting) (r : region) (ss : list stage) (g : derivation) (l : layer) (a : option rounded)
  (others : list row) (m : list bool) (ws : list row) (ks : list known) : list found_pair :=
  match ws, ks with
  | w :: ws', k :: ks' =>
      let wanted := hd true m && negb (only_open g && (is_nonneg (low k) || is_nonpos (high k))) in
      let find sign := bound s r ss (end_of g) (start_of l a others (at_layer g) w sign) in
      ((if wanted && lower_side g then find false else None), (if wanted && upper_side g then find true else None))
      :: find_all s r ss g l a (tl others) (tl m) ws' ks'
  | _, _ => []
  end.

Definition lcm_found (a : Z) (f : option (Z * list Z)) : Z :=
  match f with Some (d, _) => if (d =? a)%Z then a else Z.lcm a d | None => a end.
Definition lcm_all (o : Z) (fs : list found_pair) : Z :=
  fold_left (fun a f => lcm_found (lcm_found a (fst f)) (snd f)) fs o.

Fixpoint update_all (corners : bool) (o o' : Z) (fs : list found_pair) (ks : list known) : list known :=
  match ks with
  | [] => []
  | k :: ks' =>
      let k' := restated o o' k in
      match fs with
      | (a, b) :: fs' => with_upper corners o' b (with_lower corners o' a k') :: update_all corners o o' fs' ks'
      | [] => k' :: update_all corners o o' [] ks'
      end
  end.

Fixpoint replace_nth {A} (n : nat) (l : list A) (a : A) : list A :=
  match l, n with [], _ => [] | _ :: l', O => a :: l' | b :: l', S n' => b :: replace_nth n' l' a end.

Definition derive (s : setting) (r : region) (g : derivation) : option region :=
  match nth_error (net s) (at_layer g), nth_error (about r) (at_layer g) with
  | Some (l, a), Some (o, ks) =>
      let ss := stages (net s) (about r) (choices g) in
      let a := if from_rounded (end_of g) then a else None in
      let others := match a with Some f => fine_rows f | None => [] end in
      let found := find_all s r ss g l a others (chosen g) (rows l) ks in
      let o' := match new_over g with Some a => a | None => lcm_all o found end in
      if (0 <? o')%Z then
        Some {| over_x := over_x r; lows := lows r; highs := highs r; facts := facts r;
                about := replace_nth (at_layer g) (about r)
                           (o', update_all (cornered_box s) o o' found ks) |}
      else None
  | _, _ => None
  end.

Fixpoint derive_all (s : setting) (r : region) (gs : list derivation) : option region :=
  match gs with
  | [] => Some r
  | g :: gs' => match derive s r g with Some r' => derive_all s r' gs' | None => None end
  end.

(** ** Splits *)

Inductive split :=
  | Input (j : nat) (n d : Z) (refine : bool)   (* x_j <= n/d or x_j >= n/d; [refine]: sides over a common denominator *)
  | Neuron (k i : nat).                         (* z <= 0 or z >= 0 of neuron i of layer k *)

Definition forget (k : known) : known := {| low := low k; high := high k; under := []; upper := [] |}.

Definition cut_input (r : region) (j : nat) (n d : Z) (refine up_side : bool) : region :=
  let o := over_x r in
  let o' := if refine then Z.lcm o d else o in
  let lo := if (o' =? o)%Z then lows r else map (option_map (fun a => down (a * o') o)) (lows r) in
  let hi := if (o' =? o)%Z then highs r else map (option_map (fun a => up (a * o') o)) (highs r) in
  {| over_x := o';
     lows := if up_side then replace_nth j lo (more_low (nth j lo None) (down (n * o') d)) else lo;
     highs := if up_side then hi else replace_nth j hi (less_high (nth j hi None) (up (n * o') d));
     facts := facts r;
     about := map (fun l => (fst l, map forget (snd l))) (about r) |}.

Definition with_sign (up_side : bool) (k : known) : known :=
  {| low := if up_side then more_low (low k) 0 else low k; high := if up_side then high k else less_high (high k) 0;
     under := under k; upper := upper k |}.

Definition cut_neuron (r : region) (k i : nat) (up_side : bool) : region :=
  match nth_error (about r) k with
  | Some (o, ks) =>
      match nth_error ks i with
      | Some kn =>
          {| over_x := over_x r; lows := lows r; highs := highs r; facts := facts r;
             about := replace_nth k (about r) (o, replace_nth i ks (with_sign up_side kn)) |}
      | None => r
      end
  | None => r
  end.

Definition cut (s : setting) (r : region) (c : split) (up_side : bool) : region :=
  match c with
  | Input j n d refine =>
      match generators s with
      | None => if (0 <? d)%Z then cut_input r j n d refine up_side else r
      | Some _ => r
      end
  | Neuron k i => cut_neuron r k i up_side
  end.

(** ** Trees *)

Inductive tree :=
  | Leaf (gs : list derivation) (cs : list choice) (e : finish)
  | Cut (gs : list derivation) (c : split) (below above : tree).

Definition crossed (a b : option Z) : bool :=
  match a, b with Some l, Some h => (h <? l)%Z | _, _ => false end.
Fixpoint crossed_any (a b : list (option Z)) : bool :=
  match a, b with l :: a', h :: b' => crossed l h || crossed_any a' b' | _, _ => false end.

(** No point is left. *)
Definition contradictory (s : setting) (r : region) : bool :=
  match generators s with None => crossed_any (lows r) (highs r) | Some _ => false end || existsb (fun l => existsb (fun k => crossed (low k) (high k)) (snd l)) (about r).

(** What is bounded by n/d: a neuron or its negative, as the forms to begin with. *)
Record target := { plain : form; fast : form; t_n : Z; t_d : Z }.

Definition leaf_ok (s : setting) (r : region) (t : target) (cs : list choice) (e : finish) : bool :=
  match bound s r (stages (net s) (about r) cs) e (if from_rounded e then fast t else plain t) with
  | Some (d, l) => let c := (t_n t * d)%Z in forallb (fun a => a * t_d t <=? c)%Z l
  | None => false
  end.

Fixpoint proves (s : setting) (t : target) (r : region) (p : tree) : bool :=
  match p with
  | Leaf gs cs e =>
      match derive_all s r gs with
      | Some r' => if leaf_ok s r' t cs e then true else contradictory s r'
      | None => false
      end
  | Cut gs c a b =>
      match derive_all s r gs with
      | Some r' => proves s t (cut s r' c false) a && proves s t (cut s r' c true) b
      | None => false
      end
  end.

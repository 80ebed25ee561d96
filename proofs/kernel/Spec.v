(** What is claimed: networks, sets, and statements about neurons. Whoever trusts the kernel reads this file. *)

From Coq Require Import ZArith List.
From Kernel Require Import Field.
Import ListNotations.

(** A row of a layer reads all values before it, in blocks: the outputs of the layer before, of the layer before that,
    ..., and last the inputs. Blocks and lists that end early stand for zeros. Entries are integers over the
    denominator of the layer. *)
Record row := { bias : Z; blocks : list (list Z) }.
Record layer := { denominator : Z; rows : list row }.

(** The ReLU layers of a network, the last one first. *)
Definition network := list layer.

(** A set: [low <= x <= high] with sides over one denominator, [b + a.x >= 0] and [b + a.x = 0] for rows [(b, a)]. Or
    the sums of a convex combination of vertices (over the denominator), a nonnegative one of rays, any of lines. Or
    the points of a list. *)
Inductive domain :=
  | Rows (over : Z) (low high : list (option Z)) (inequalities equalities : list (Z * list Z))
  | Generated (over : Z) (vertices rays lines : list (list Z))
  | Listed (over : Z) (points : list (list Z)).

(** Of a neuron, by layer (0: the last) and number. *)
Inductive statement :=
  | Below (layer neuron : nat) (sign : bool) (n d : Z)   (* z <= n/d on the set; for [sign = false]: -z <= n/d *)
  | Positive (layer neuron : nat)                        (* z > 0 somewhere in it *)
  | Attains (layer neuron : nat) (n d : Z)               (* z = n/d somewhere in it *)
  | Unbounded (layer neuron : nat).                      (* z is larger than any number somewhere in it *)

Section Meaning.
Context (K : field).
Open Scope field_scope.

Fixpoint dot (c : list Z) (x : list K) : K :=
  match c, x with w :: c', a :: x' => inj w * a + dot c' x' | _, _ => 0 end.

Fixpoint bdot (c : list (list Z)) (x : list (list K)) : K :=
  match c, x with b :: c', v :: x' => dot b v + bdot c' x' | _, _ => 0 end.

Definition numerator (r : row) (before : list (list K)) : K := inj (bias r) + bdot (blocks r) before.

(** The pre-activations of a layer, and the values after it: its outputs before all earlier values. *)
Definition pre (l : layer) (before : list (list K)) : list K :=
  map (fun r => inv (inj (denominator l)) * numerator r before) (rows l).

Fixpoint values (net : network) (x : list K) : list (list K) :=
  match net with [] => [x] | l :: earlier => let v := values earlier x in map relu (pre l v) :: v end.

(** The pre-activation z of neuron i of layer k at x; without a meaning where there is no such neuron. *)
Definition preactivation (net : network) (k i : nat) (x : list K) (a : K) : Prop :=
  exists l earlier, skipn k net = l :: earlier /\ nth_error (pre l (values earlier x)) i = Some a.

Definition above_side (over : Z) (s : option Z) (a : K) : Prop :=
  match s with Some b => inj b <= inj over * a | None => True end.
Definition below_side (over : Z) (s : option Z) (a : K) : Prop :=
  match s with Some b => inj over * a <= inj b | None => True end.

Definition at_row (r : Z * list Z) (x : list K) : K := inj (fst r) + dot (snd r) x.

(** A combination of vectors with weights, coordinate by coordinate: [over * x_j = sum of weight * entry j]. *)
Fixpoint combined (weights : list K) (vectors : list (list Z)) (j : nat) : K :=
  match weights, vectors with w :: ws, v :: vs => w * inj (nth j v 0%Z) + combined ws vs j | _, _ => 0 end.
Definition total (weights : list K) : K := fold_right add 0 weights.

Definition inside (d : domain) (x : list K) : Prop :=
  match d with
  | Rows over low high ineqs eqs =>
      Forall2 (above_side over) low x /\ Forall2 (below_side over) high x /\
      Forall (fun r => 0 <= at_row r x) ineqs /\ Forall (fun r => at_row r x = 0) eqs
  | Generated over vertices rays lines =>
      exists a b c : list K,
        length a = length vertices /\ length b = length rays /\ length c = length lines /\
        Forall (le 0) a /\ total a = 1 /\ Forall (le 0) b /\
        forall j xj, nth_error x j = Some xj ->
          inj over * xj = combined a vertices j + inj over * (combined b rays j + combined c lines j)
  | Listed over points => exists p, In p points /\ Forall2 (fun n xj => inj over * xj = inj n) p x
  end.

Definition dimension (d : domain) : nat :=
  match d with
  | Rows _ low _ _ _ => length low
  | Generated _ vs _ _ => length (hd [] vs)
  | Listed _ ps => length (hd [] ps)
  end.
Definition member (d : domain) (x : list K) : Prop := length x = dimension d /\ inside d x.

Definition means (net : network) (s : domain) (c : statement) : Prop :=
  match c with
  | Below k i sign n d =>
      forall x a, member s x -> preactivation net k i x a -> inj d * (if sign then a else - a) <= inj n
  | Positive k i => exists x a, member s x /\ preactivation net k i x a /\ 0 <= a /\ a <> 0
  | Attains k i n d => exists x a, member s x /\ preactivation net k i x a /\ inj d * a = inj n
  | Unbounded k i => forall bound, exists x a, member s x /\ preactivation net k i x a /\ bound <= a
  end.

End Meaning.

Arguments dot {K}. Arguments bdot {K}. Arguments numerator {K}. Arguments pre {K}. Arguments values {K}.
Arguments preactivation {K}. Arguments above_side {K}. Arguments below_side {K}. Arguments at_row {K}. Arguments combined {K}.
Arguments total {K}. Arguments inside {K}. Arguments member {K}.

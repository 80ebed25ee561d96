(** The program: [prepare], [root], [judge] and [same_function] in OCaml, integers as Zarith's (integer.ml), naturals as native integers. *)

From Coq Require Import ZArith Extraction ExtrOcamlBasic ExtrOcamlNatInt.
From Kernel Require Import Field Spec Forms Back Region Points Check Prune.

Extract Inductive positive => "Integer.t" [ "Integer.twice_and_one" "Integer.twice" "Integer.one" ] "Integer.on_positive".
Extract Inductive Z => "Integer.t" [ "Integer.zero" "" "Integer.neg" ] "Integer.on_sign".
Extract Inlined Constant Z.add => "Integer.add".
Extract Inlined Constant Z.sub => "Integer.sub".
Extract Inlined Constant Z.mul => "Integer.mul".
Extract Inlined Constant Z.opp => "Integer.neg".
Extract Inlined Constant Z.div => "Integer.floor_div".
Extract Inlined Constant Z.lcm => "Integer.lcm".
Extract Inlined Constant Z.max => "Integer.max".
Extract Inlined Constant Z.min => "Integer.min".
Extract Inlined Constant Z.eqb => "Integer.equal".
Extract Inlined Constant Z.leb => "Integer.leq".
Extract Inlined Constant Z.ltb => "Integer.lt".
Extract Inlined Constant Z.of_nat => "Integer.of_int".

Extraction "kernel.ml" domain_ok prepare root judge same_function dimension.

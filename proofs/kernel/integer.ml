(* The integers of the extracted program: Zarith's, with what Coq's constructors and division need. *)
include Z

let twice p = shift_left p 1
let twice_and_one p = succ (shift_left p 1)
let on_positive odd even one p =
  if equal p Z.one then one () else if is_even p then even (shift_right p 1) else odd (shift_right p 1)
let on_sign zero positive negative z =
  match sign z with 0 -> zero () | 1 -> positive z | _ -> negative (neg z)
let floor_div a b = if sign b = 0 then Z.zero else fdiv a b (* in Coq, division by 0 gives 0 *)

(* geomrelu-kernel FILE: judges the claims of a text (see README.md) with the extracted program. For each claim one line:
   "proved" or "refused" and the statement. Exit code 0: all proved; 1: not all; 2: the text cannot be read.

   Of this file it matters that [network], [domain] and [statement] read what is written: whatever is read as evidence,
   only a true statement is accepted. *)

open Kernel

exception Unreadable of string

let fail what = raise (Unreadable what)
let integer text = try Integer.of_string text with Invalid_argument _ -> fail ("not an integer: " ^ text)
let natural text =
  match int_of_string_opt text with Some n when n >= 0 -> n | _ -> fail ("not a natural number: " ^ text)
let optional read text = if text = "-" then None else Some (read text)
let flag = function "0" -> false | "1" -> true | text -> fail ("not 0 or 1: " ^ text)

(* ---- lines ---- *)

type source = { channel : in_channel; mutable number : int; mutable next : string list option }

let advance source =
  source.number <- source.number + 1;
  source.next <-
    (match input_line source.channel with
    | line -> Some (List.filter (fun word -> word <> "") (String.split_on_char ' ' line))
    | exception End_of_file -> None)

let take source =
  match source.next with
  | Some words -> advance source; words
  | None -> fail "the text ends early"

(* All lines from here on that begin with a word. *)
let rec each source word read =
  match source.next with
  | Some (first :: rest) when first = word ->
    advance source;
    let found = read rest in
    found :: each source word read
  | _ -> []

(* ---- the network and the set ---- *)

let rec in_blocks = function
  | [] -> []
  | "|" :: rest ->
    let rec block = function
      | "|" :: _ as rest -> ([], rest)
      | [] -> ([], [])
      | word :: rest -> let found, rest = block rest in (integer word :: found, rest) in
    let found, rest = block rest in
    found :: in_blocks rest
  | word :: _ -> fail ("expected |, not " ^ word)

let row = function
  | bias :: blocks -> { bias = integer bias; blocks = in_blocks blocks }
  | [] -> fail "an empty row"

(* The layers, the last one first, and the denominators of their rounded rows. *)
let network source =
  let layer = function
    | [ denominator; fine ] ->
      ({ denominator = integer denominator; rows = each source "row" row }, optional integer fine)
    | _ -> fail "layer DENOMINATOR ROUNDED" in
  match take source with
  | [ "network" ] -> List.split (List.rev (each source "layer" layer))
  | _ -> fail "expected: network"

(* What follows the last ReLU layer. *)
let last source =
  match take source with
  | [ "last"; denominator ] -> { denominator = integer denominator; rows = each source "row" row }
  | _ -> fail "expected: last DENOMINATOR"

let affine = function
  | constant :: slope -> (integer constant, List.map integer slope)
  | [] -> fail "an empty row"

let sides source word =
  match take source with
  | first :: rest when first = word -> List.map (optional integer) rest
  | _ -> fail ("expected: " ^ word)

let domain source =
  match take source with
  | [ "rows"; over ] ->
    let low = sides source "low" in
    let high = sides source "high" in
    let inequalities = each source "inequality" affine in
    Rows (integer over, low, high, inequalities, each source "equality" affine)
  | [ "generated"; over ] ->
    let table word = each source word (List.map integer) in
    let vertices = table "vertex" in
    let rays = table "ray" in
    Generated (integer over, vertices, rays, table "line")
  | [ "listed"; over ] -> Listed (integer over, each source "point" (List.map integer))
  | _ -> fail "expected: rows, generated or listed"

(* In the text layers count from 1, the first; in the program from 0, the last. *)
let layers = ref 0
let layer text =
  match natural text with n when n >= 1 && n <= !layers -> !layers - n | _ -> fail ("no such layer: " ^ text)

let statement = function
  | "below" :: at :: neuron :: sign :: n :: d :: rest ->
    (Below (layer at, natural neuron, flag sign, integer n, integer d), rest)
  | "positive" :: at :: neuron :: rest -> (Positive (layer at, natural neuron), rest)
  | "attains" :: at :: neuron :: n :: d :: rest -> (Attains (layer at, natural neuron, integer n, integer d), rest)
  | "unbounded" :: at :: neuron :: rest -> (Unbounded (layer at, natural neuron), rest)
  | words -> fail ("not a statement: " ^ String.concat " " words)

(* Long numbers in base 16, as they are written. *)
let text number = if Integer.numbits number > 10_000 then Integer.format "%#x" number else Integer.to_string number

let shown found =
  match found with
  | Below (at, neuron, sign, n, d) ->
    Printf.sprintf "below %d %d %d %s %s" (!layers - at) neuron (Bool.to_int sign) (text n) (text d)
  | Unbounded (at, neuron) -> Printf.sprintf "unbounded %d %d" (!layers - at) neuron
  | Positive (at, neuron) -> Printf.sprintf "positive %d %d" (!layers - at) neuron
  | Attains (at, neuron, n, d) -> Printf.sprintf "attains %d %d %s %s" (!layers - at) neuron (text n) (text d)

(* ---- evidence ---- *)

(* Lists of numbers with their lengths before them. *)
let counted words =
  let rec some n words =
    match (n, words) with
    | 0, rest -> ([], rest)
    | n, word :: rest -> let found, rest = some (n - 1) rest in (integer word :: found, rest)
    | _, [] -> fail "a list ends early" in
  match words with length :: rest -> some (natural length) rest | [] -> fail "a list is missing"

let choices : (string, choice) Hashtbl.t = Hashtbl.create 16
let plans : (string, choice list) Hashtbl.t = Hashtbl.create 16
let finishes : (string, finish) Hashtbl.t = Hashtbl.create 16

let named table name = match Hashtbl.find_opt table name with Some found -> found | None -> fail ("no such name: " ^ name)

let choice = function
  | name :: factor :: coarse :: interval :: grid :: chord_grid :: extra_over :: lists ->
    let above, lists = counted lists in
    let below, lists = counted lists in
    let extra, _ = counted lists in
    Hashtbl.replace choices name
      { factor = integer factor; coarse = flag coarse; interval = flag interval; grid = integer grid;
        chord_grid = integer chord_grid; above; below; extra; extra_over = integer extra_over }
  | _ -> fail "choice NAME ..."

let plan = function
  | name :: first_to_last -> Hashtbl.replace plans name (List.rev_map (named choices) first_to_last)
  | [] -> fail "plan NAME ..."

let finish = function
  | name :: factor :: over :: rounded :: multipliers ->
    let rec pairs = function
      | i :: n :: rest -> (natural i, integer n) :: pairs rest
      | [] -> []
      | _ -> fail "a multiplier is missing" in
    Hashtbl.replace finishes name
      { times_form = integer factor; multipliers = pairs multipliers; multipliers_over = integer over;
        from_rounded = flag rounded }
  | _ -> fail "finish NAME FACTOR OVER ROUNDED ..."

let define word words = match word with "choice" -> choice words | "plan" -> plan words | _ -> finish words

let derivation = function
  | [ at; only_open; lower; upper; over; plan; finish; mask ] ->
    { at_layer = layer at; only_open = flag only_open; lower_side = flag lower; upper_side = flag upper;
      new_over = optional integer over; choices = named plans plan; end_of = named finishes finish;
      chosen = (if mask = "*" then [] else List.map (fun c -> c = '1') (List.of_seq (String.to_seq mask))) }
  | _ -> fail "derive LAYER OPEN LOWER UPPER OVER PLAN FINISH MASK"

(* Slopes in sixteenths, one character a neuron. *)
let sixteenth grid = function
  | '0' .. '9' as c -> Integer.div (Integer.mul grid (Integer.of_int (Char.code c - 48))) (Integer.of_int 16)
  | 'a' .. 'g' as c -> Integer.div (Integer.mul grid (Integer.of_int (Char.code c - 87))) (Integer.of_int 16)
  | _ -> fail "not a slope"

let with_slopes choice text =
  if text = "-" then choice
  else { choice with below = List.map (sixteenth choice.grid) (List.of_seq (String.to_seq text)) }

let rec zip choices texts =
  match (choices, texts) with
  | choice :: choices, text :: texts -> with_slopes choice text :: zip choices texts
  | _, _ -> choices

let rec tree source =
  let rec node derivations =
    let cut split =
      let below = tree source in
      let above = tree source in
      Cut (List.rev derivations, split, below, above) in
    match take source with
    | ("choice" | "plan" | "finish") as word :: words -> define word words; node derivations
    | "derive" :: words -> node (derivation words :: derivations)
    | [ "input"; j; n; d; refine ] -> cut (Input (natural j, integer n, integer d, flag refine))
    | [ "neuron"; at; i ] -> cut (Neuron (layer at, natural i))
    | "leaf" :: name :: finish :: texts ->
      Leaf (List.rev derivations, zip (named plans name) (List.rev texts), named finishes finish)
    | words -> fail ("not a node: " ^ String.concat " " words) in
  node []

let point = function
  | "at" :: denominator :: point -> At (integer denominator, List.map integer point)
  | "mean" :: denominator :: lists ->
    let a, lists = counted lists in
    let b, lists = counted lists in
    let c, _ = counted lists in
    Mean (integer denominator, a, b, c)
  | words -> fail ("not a point: " ^ String.concat " " words)

let rec until_slash = function
  | "/" :: rest -> ([], rest)
  | word :: rest -> let found, rest = until_slash rest in (word :: found, rest)
  | [] -> fail "a ray is missing"

let evidence source = function
  | [ "tree" ] -> Tree (tree source)
  | [ "walk" ] -> Walk
  | "ray" :: words -> let from, direction = until_slash words in Ray (point from, point direction)
  | words -> Point (point words)

(* What becomes of the neurons of a layer; merged:J:N:D where D times the neuron is N times neuron J. *)
let fates source =
  let fate word =
    match String.split_on_char ':' word with
    | [ "kept" ] -> Kept
    | [ "removed" ] -> Removed
    | [ "folded" ] -> Folded
    | [ "merged"; j; n; d ] -> Merged (natural j, integer n, integer d)
    | _ -> fail ("not a fate: " ^ word) in
  List.rev (each source "fates" (List.map fate))

let () =
  let path = match Sys.argv with [| _; path |] -> path | _ -> prerr_endline "usage: geomrelu-kernel FILE"; exit 2 in
  match open_in path with
  | exception Sys_error problem -> prerr_endline ("geomrelu-kernel: " ^ problem); exit 2
  | channel -> (
    let source = { channel; number = 0; next = None } in
    try
      advance source;
      if take source <> [ "geomrelu-kernel"; "1" ] then fail "expected: geomrelu-kernel 1";
      let net, fines = network source in
      layers := List.length net;
      let set = domain source in
      let prepared =
        match prepare net fines with
        | Some prepared when domain_ok set -> prepared
        | _ -> fail "a denominator is not positive" in
      let rec derivations () =
        match source.next with
        | Some (("choice" | "plan" | "finish") as word :: words) -> advance source; define word words; derivations ()
        | Some ("derive" :: words) -> advance source; let found = derivation words in found :: derivations ()
        | _ -> [] in
      let corners = match take source with [ "root"; corners ] -> flag corners | _ -> fail "expected: root" in
      let start = root prepared set corners (derivations ()) in
      let all = ref true in
      let answer proved what =
        if not proved then all := false;
        Printf.printf "%s %s\n%!" (if proved then "proved" else "refused") what in
      let claim words =
        let stated, words = statement words in
        let proved = judge prepared set start stated (evidence source words) in
        answer proved (shown stated);
        if proved then Some (stated, Walk) else None (* the evidence is not looked at again *) in
      let claims = each source "claim" claim in
      (match source.next with
      | Some [ "pruning" ] ->
        advance source;
        let before = last source in
        let smaller, _ = network source in
        let after = last source in
        let fates = fates source in
        let proved = List.filter_map Fun.id claims in
        answer (same_function net smaller before after (dimension set) proved fates) "equal"
      | _ -> if claims = [] then fail "nothing is claimed");
      if source.next <> None then fail "expected: claim";
      exit (if !all then 0 else 1)
    with Unreadable problem ->
      Printf.eprintf "geomrelu-kernel: %s, line %d: %s\n" path (source.number - 1) problem;
      exit 2)

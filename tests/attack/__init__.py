"""An attack on the judges of certificates: false claims of every kind, with proofs made to look as good as possible.

    python tests/attack/run.py --seed 1 --count 100000 --workers 2

Where to look for what:
    networks    random networks (also wide ones whose truth is known by construction) and sets, with what is true there
    grammar     random proofs and claims over the whole grammar of certificates, and small changes of given ones
    judges      the two judges behind one question: is this certificate accepted?
    assaults    the ways of attacking, one function each; prunings: those of smaller networks
    run         the command: blocks of certificates, each from its own seed; a journal; a summary

And small faults in the plain judge, to see that they are noticed:

    python tests/attack/mutants.py

    questions   how a judge is asked; readable, bounds, claims: questions of every rule at its edge, answers stated;
                grids: by the hundred, where all judges have to agree
    battery     all of these, and what is true and false of random networks
    mutants     the faults, and the command; survivors: those that are none, with the reason

What is true is computed by ``oracles.py``, which shares no code with the package: activation patterns enumerated by
the Parma Polyhedra Library, or plain evaluation at points.
"""

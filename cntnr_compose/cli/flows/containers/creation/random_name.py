"""Choose a name for a container that was given none: an adjective and a scientist, as docker's are."""

import os

_ADJECTIVES = (
    "able amber apt ardent azure balmy bold brave bright brisk calm candid chatty civil clear clever "
    "cosy crisp curious daring deft eager early easy fair fast fearless fine fond frank free fresh "
    "gentle glad golden good grand happy hardy helpful honest humble jolly keen kind lively loyal "
    "lucid lucky mellow merry mild modest neat nimble noble open patient plain polite proud prudent "
    "quick quiet rapid ready robust round sage sharp shiny silent silver simple sleek smart snug "
    "sober solid spry stable steady still stout strong sunny sure swift tender tidy true upbeat "
    "vivid warm wise witty young zesty"
)
_SCIENTISTS = (
    "abel agnesi avogadro babbage bernoulli bessel biot bohr boole born bose boyle brahe braun "
    "brewster "
    "cantor carnot cauchy celsius chebyshev church clausius compton coulomb cray curie dalton "
    "dedekind descartes dirac doppler eckert edison einstein erdos euclid euler fahrenheit faraday "
    "fermat fermi feynman fourier franklin fresnel galilei galois gauss germain gibbs godel goodall "
    "halley hamilton hawking helmholtz herschel hertz hilbert hooke hopper hubble humboldt huygens "
    "hypatia jacobi joule kelvin kepler kirchhoff knuth kovalevskaya lagrange laplace lavoisier "
    "leavitt leibniz linnaeus lorentz lovelace marconi maxwell meitner mendel mendeleev michelson "
    "mirzakhani moebius napier nernst newton noether ohm pascal pasteur pauli planck poincare "
    "poisson "
    "ptolemy raman ramanujan riemann ritchie rontgen rutherford sagan shannon somerville tesla "
    "torricelli turing vera volta watt weyl wiener wu young zuse"
)
ADJECTIVES, SCIENTISTS = _ADJECTIVES.split(), _SCIENTISTS.split()


def random_name(*, digit: bool = False) -> str:
    """Return a random name, with a ``digit`` behind it where names have become rare."""
    number = int.from_bytes(os.urandom(4), "big")
    number, adjective = divmod(number, len(ADJECTIVES))
    number, scientist = divmod(number, len(SCIENTISTS))
    name = f"{ADJECTIVES[adjective]}_{SCIENTISTS[scientist]}"
    return f"{name}{number % 10}" if digit else name

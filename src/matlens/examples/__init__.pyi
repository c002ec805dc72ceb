from matlens.library.problems.examples import blend as blend
from matlens.library.problems.examples import photoanode as photoanode
from matlens.microstructure.problems.examples import bicontinuous as bicontinuous
from matlens.microstructure.problems.examples import gravel as gravel
from matlens.microstructure.problems.examples import particles as particles
from matlens.microstructure.problems.examples import porous as porous

"""The golden table: one row for one batch of one method, with the loss and the gradients that it must give.

A row is data. Its numbers come from the paper's formula by hand, never from a run of the library. `test_golden.py`
checks the rows, and `test_mutations.py` checks that they notice every broken formula. Golden numbers of parts of a
method, of several batches in a row, and of whole distributions are no rows: they are `test_golden*` in the method's
own file, beside its identities and invariances.
"""

from tests.methods.golden.choices import CHOICES
from tests.methods.golden.constraints import CONSTRAINED
from tests.methods.golden.credit import CREDIT
from tests.methods.golden.critic_free import CRITIC_FREE
from tests.methods.golden.critics import CRITICS
from tests.methods.golden.decoded import DECODED
from tests.methods.golden.distillation import DISTILLATION
from tests.methods.golden.ensembles import ENSEMBLES
from tests.methods.golden.gates import GATES
from tests.methods.golden.heads import HEADS
from tests.methods.golden.imitation import IMITATION
from tests.methods.golden.offline import OFFLINE
from tests.methods.golden.online import ONLINE
from tests.methods.golden.people import PEOPLE
from tests.methods.golden.preference import PREFERENCE
from tests.methods.golden.prompts import PROMPTS
from tests.methods.golden.refined import REFINED
from tests.methods.golden.reward import REWARD
from tests.methods.golden.row import Golden
from tests.methods.golden.sequence import SEQUENCE
from tests.methods.golden.turns import TURNS

ROWS: tuple[Golden, ...] = (
    *DISTILLATION,
    *IMITATION,
    *PREFERENCE,
    *REFINED,
    *REWARD,
    *ENSEMBLES,
    *HEADS,
    *GATES,
    *OFFLINE,
    *ONLINE,
    *CRITIC_FREE,
    *CRITICS,
    *CHOICES,
    *CONSTRAINED,
    *PEOPLE,
    *SEQUENCE,
    *DECODED,
    *CREDIT,
    *TURNS,
    *PROMPTS,
)

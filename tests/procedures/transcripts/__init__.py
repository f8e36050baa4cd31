"""What every procedure does on small data, verb by verb: its scenarios, one file a folder of procedures.

The transcripts were checked by hand against the papers. `test_transcripts.py` compares them, `test_mutations.py` checks
that they notice every broken line of a procedure.
"""

from tests.procedures.transcripts.acting import ACTING
from tests.procedures.transcripts.active import ACTIVE
from tests.procedures.transcripts.agents import AGENTS
from tests.procedures.transcripts.annotators import ANNOTATORS
from tests.procedures.transcripts.circles import CIRCLES
from tests.procedures.transcripts.demonstrations import DEMONSTRATIONS
from tests.procedures.transcripts.feedback import FEEDBACK
from tests.procedures.transcripts.games import GAMES
from tests.procedures.transcripts.margins import MARGINS
from tests.procedures.transcripts.named_models import NAMED_MODELS
from tests.procedures.transcripts.pipelines import PIPELINES
from tests.procedures.transcripts.planning import PLANNING
from tests.procedures.transcripts.programs import PROGRAMS
from tests.procedures.transcripts.prompts import PROMPTS
from tests.procedures.transcripts.retrieval import RETRIEVAL
from tests.procedures.transcripts.reward import REWARD
from tests.procedures.transcripts.rounds import ROUNDS
from tests.procedures.transcripts.scenario import Scenario
from tests.procedures.transcripts.search import SEARCH
from tests.procedures.transcripts.weights import WEIGHTS
from tests.procedures.transcripts.worlds import WORLDS
from tests.procedures.transcripts.zeroth_order import ZEROTH_ORDER

SCENARIOS: tuple[Scenario, ...] = (
    *ACTING,
    *ACTIVE,
    *AGENTS,
    *ANNOTATORS,
    *CIRCLES,
    *DEMONSTRATIONS,
    *FEEDBACK,
    *GAMES,
    *MARGINS,
    *NAMED_MODELS,
    *PIPELINES,
    *PROGRAMS,
    *PROMPTS,
    *PLANNING,
    *RETRIEVAL,
    *REWARD,
    *ROUNDS,
    *SEARCH,
    *WEIGHTS,
    *WORLDS,
    *ZEROTH_ORDER,
)

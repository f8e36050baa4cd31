"""The run file: what can be set, which values it may have and what it means. One file a section, in `sections/`."""

from posttrain.config.sections.backend import Backend
from posttrain.config.sections.data import MAIN, Data
from posttrain.config.sections.environment import EnvironmentRef
from posttrain.config.sections.evaluate import Evaluate
from posttrain.config.sections.method import MethodRef
from posttrain.config.sections.model import IA3, POLICY, Ensemble, Lora, Model, RoleModel
from posttrain.config.sections.privacy import Privacy
from posttrain.config.sections.procedure import ProcedureRef
from posttrain.config.sections.report import Report
from posttrain.config.sections.rewards import RewardRef
from posttrain.config.sections.run_file import RunFile
from posttrain.config.sections.sampler import SamplerRef
from posttrain.config.sections.sampling import SamplingSection
from posttrain.config.sections.scoring import Scoring
from posttrain.config.sections.train import Train

__all__ = [
    "IA3",
    "MAIN",
    "POLICY",
    "Backend",
    "Data",
    "Ensemble",
    "EnvironmentRef",
    "Evaluate",
    "Lora",
    "MethodRef",
    "Model",
    "Privacy",
    "ProcedureRef",
    "Report",
    "RewardRef",
    "RoleModel",
    "RunFile",
    "SamplerRef",
    "SamplingSection",
    "Scoring",
    "Train",
]
